"""Alerts that are raised, and silence for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import MONTH_S, Json, examples, in_range
from producer.output import Output

alerts = typer.Typer(
    help="Alerts that are raised; silence for a while.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    app.add_typer(alerts, name="alerts")


@alerts.command("list", epilog=examples("alerts list", "alerts list --json"))
def list_alerts(context: typer.Context, as_json: Json = False) -> None:
    """Every alert that is raised now, and every silence that holds."""
    from producer import alerting

    alerting.list_alerts(context.obj, Output(as_json))


@alerts.command(epilog=examples('alerts silence "green.*" --for 3600 --reason "disk swap"'))
def silence(
    context: typer.Context,
    pattern: Annotated[
        str, typer.Argument(metavar="NAME", help="An alert's name; * stands for anything.")
    ],
    seconds: Annotated[
        float,
        typer.Option(
            "--for",
            metavar="SECONDS",
            help="How long.",
            callback=in_range(1, MONTH_S, "seconds"),
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the audit.")],
    as_json: Json = False,
) -> None:
    """Tell nobody of such alerts for a while; they are still raised, listed and measured.

    What is still raised when the silence ends is told then.
    """
    from producer import alerting

    alerting.silence(context.obj, Output(as_json), pattern, seconds, reason)


@alerts.command(epilog=examples("alerts unsilence 3"))
def unsilence(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Of the silence, as `alerts list` shows it.")],
    as_json: Json = False,
) -> None:
    """End a silence before its time."""
    from producer import alerting

    alerting.unsilence(context.obj, Output(as_json), number)

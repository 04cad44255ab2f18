"""What is usual: show it, measure it."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import DAY_S, Json, examples, in_range
from producer.output import Output

baseline = typer.Typer(
    help="What is usual under the application's traffic.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    app.add_typer(baseline, name="baseline")


@baseline.command(epilog=examples("baseline show", "baseline show --json"))
def show(context: typer.Context, as_json: Json = False) -> None:
    """The newest baseline: latency, throughput, pool, and the dearest statements."""
    from producer import baselining

    baselining.show(context.obj, Output(as_json))


@baseline.command(epilog=examples("baseline update", "baseline update --seconds 300"))
def update(
    context: typer.Context,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds",
            help="How long to measure.",
            callback=in_range(1, DAY_S, "seconds"),
        ),
    ] = 30.0,
    as_json: Json = False,
) -> None:
    """Measure what is usual now, while the application works, and keep it.

    Also accepts the schema as it is, where it was changed by hand.
    """
    from producer import baselining

    baselining.update(context.obj, Output(as_json), seconds=seconds)

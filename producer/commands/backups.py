"""Rollback points: list them, prove them, bring one back beside the database, delete old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.options import ColourName, Json, Yes, examples, in_range
from producer.output import Output
from producer.retention_options import JustLook

backups = typer.Typer(
    help="Rollback points: list, verify, restore, prune.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
POINT = "rollback-20261123-7f3a-20261123T114501Z"
Point = Annotated[
    str, typer.Argument(metavar="POINT", help="Its name, or the path of one of its files.")
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The age key file of a recipient, for an encrypted point."),
]


def register(app: typer.Typer) -> None:
    app.add_typer(backups, name="backups")


@backups.command("list", epilog=examples("backups list", "backups list --json"))
def list_points(context: typer.Context, as_json: Json = False) -> None:
    """Every rollback point, newest first: whose it is, what it holds, whether it was verified."""
    from producer import keeping

    keeping.list_points(context.obj, Output(as_json))


@backups.command(epilog=examples(f"backups verify {POINT}"))
def verify(
    context: typer.Context, point: Point, identity: Identity = None, as_json: Json = False
) -> None:
    """Restore a point into a scratch database and count, now."""
    from producer import keeping

    keeping.verify(context.obj, Output(as_json), point, identity)


@backups.command(
    epilog=examples(f"backups restore {POINT} --yes", f"backups restore {POINT} --into app_before")
)
def restore(
    context: typer.Context,
    point: Point,
    on: Annotated[
        ColourName | None, typer.Option("--on", help="The side [default: the active one].")
    ] = None,
    into: Annotated[
        str | None, typer.Option("--into", help="The new database [default: named after the time].")
    ] = None,
    identity: Identity = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Restore a point into a new database beside the one that serves; overwrites nothing."""
    from producer import keeping

    keeping.restore(
        context.obj, Output(as_json), point, on=on, into=into, yes=yes, identity=identity
    )


@backups.command(epilog=examples("backups prune --dry-run", "backups prune --days 30"))
def prune(
    context: typer.Context,
    days: Annotated[
        float | None,
        typer.Option(
            "--days",
            help="Delete what is older [default: the stack's setting, 7].",
            callback=in_range(0, 36_500, "days", open_low=True),
        ),
    ] = None,
    dry_run: JustLook = False,
    as_json: Json = False,
) -> None:
    """Delete old points; never the newest verified one, never one of a live job."""
    from producer import keeping

    keeping.prune(context.obj, Output(as_json), days, dry_run=dry_run)

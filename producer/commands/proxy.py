"""Where traffic goes, and the emergency switch."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import ColourName, Json, MaxStall, Yes, examples
from producer.output import Output

proxy = typer.Typer(
    help="Where traffic goes; the emergency switch.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(proxy, name="proxy")
    app.command(epilog=examples("failover", "failover --accept-loss --yes"))(failover)


def failover(
    context: typer.Context,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Promote although commits are missing, or may be."),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let the standby take over from an active server that is dead.

    The dead server is fenced first and comes back as a standby. What it wrote and never sent is
    read from its disk. Commits that are missing then are named, and nothing is promoted (exit 3).
    """
    from producer import failing_over

    failing_over.failover(context.obj, Output(as_json), accept_loss=accept_loss, yes=yes)


@proxy.command(epilog=examples("proxy status", "proxy status --json"))
def status(context: typer.Context, as_json: Json = False) -> None:
    """Where both doors lead, and which side is open, fenced, a standby or away."""
    from producer import proxying

    proxying.status(context.obj, Output(as_json))


@proxy.command(epilog=examples("proxy switch blue", "proxy switch blue --accept-loss"))
def switch(
    context: typer.Context,
    colour: Annotated[ColourName, typer.Argument(help="The side that is to serve.")],
    max_stall: MaxStall = 500,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Go there though the side that serves is dead and may have more."
        ),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring traffic back to a side, fenced and without loss, in an emergency.

    Works with Redis, the coordinator and the control database down. A switch that would lose
    writes is refused, and says up to which LSN that side has everything. In quiet times use
    `bluegreen rollback JOB`.
    """
    from producer import proxying

    proxying.switch(context.obj, Output(as_json), colour, max_stall, accept_loss=accept_loss)

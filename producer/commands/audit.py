"""The audit: whether anybody has changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import Json, examples
from producer.output import Output

audit = typer.Typer(help="Who did what.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(audit, name="audit")


@audit.command(epilog=examples("audit verify", "audit verify --head 41:9f2c..."))
def verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SEQ:HASH", help="A head that was noted outside before."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Whether every row of the audit follows from the one before it; exit 7 when one does not.

    Prints the head of the chain. Note it outside of the stack: whoever owns the control database
    could write a whole new chain, and only an older head that is no longer in it tells.
    """
    from producer import auditing

    raise typer.Exit(auditing.verify(context.obj, Output(as_json), head))

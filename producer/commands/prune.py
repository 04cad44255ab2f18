"""What is older than the retention, and to be rid of it now."""

from __future__ import annotations

import typer

from producer.options import Json, examples
from producer.output import Output
from producer.retention_options import JustLook, OlderThan


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("prune --dry-run", "prune --days 30"))(prune)


def prune(
    context: typer.Context,
    days: OlderThan = None,
    dry_run: JustLook = False,
    as_json: Json = False,
) -> None:
    """Remove the details of jobs that ended long ago, as the coordinator does every hour.

    What a job proved, its row (which keeps its file from running twice) and the audit stay.
    Rollback points: `backups prune`.
    """
    from producer import pruning

    pruning.prune(context.obj, Output(as_json), days, dry_run=dry_run)

"""Look at jobs: status, history, report, logs. None of them changes anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from producer.options import JobId, Json, MaybeJobId, examples
from producer.output import Output

Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most N, newest first.")]


def register(app: typer.Typer) -> None:
    for command in (status, history, report, logs):
        app.command(epilog=EXAMPLES[command.__name__])(command)


def status(context: typer.Context, job: MaybeJobId = None, as_json: Json = False) -> None:
    """Show a job and its steps; without JOB the live jobs, or the last one."""
    from producer import looking, store

    looking.status(store.store_of(context.obj), Output(as_json), job)


def history(
    context: typer.Context, job: MaybeJobId = None, limit: Limit = 50, as_json: Json = False
) -> None:
    """List jobs, newest first; with JOB every decision that was taken about it."""
    from producer import looking, store

    looking.history(store.store_of(context.obj), Output(as_json), job, limit)


def report(
    context: typer.Context,
    job: JobId,
    form: Annotated[
        Literal["markdown", "json", "html"],
        typer.Option("--format", help="html has a picture of the cutover's latencies."),
    ] = "markdown",
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file instead of stdout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a job did: steps, switches with their measured stall, comparison, rollback point."""
    from producer import reporting

    reporting.report(context.obj, job, "json" if as_json else form, output)


def logs(
    context: typer.Context,
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the job ends.")] = False,
    as_json: Json = False,
) -> None:
    """The job's decisions and what the agents logged about it, in order of time."""
    from producer import logbook

    logbook.logs(context.obj, Output(as_json), job, follow=follow)


EXAMPLES = {
    "status": examples("status", "status 20261123-7f3a --json"),
    "history": examples("history --limit 10", "history 20261123-7f3a"),
    "report": examples(
        "report 20261123-7f3a --json",
        "report 20261123-7f3a --format html --output cutover.html",
    ),
    "logs": examples("logs 20261123-7f3a", "logs 20261123-7f3a --follow"),
}

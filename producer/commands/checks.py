"""Is everything well: compare, doctor."""

from __future__ import annotations

import typer

from producer.options import JobId, Json, examples
from producer.output import Output


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("compare 20261123-7f3a"))(compare)
    app.command(epilog=examples("doctor", "doctor --json"))(doctor)


def compare(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """The verdict of a job's row comparison; exit 3 without one, or when rows differ."""
    from producer import looking, store

    raise typer.Exit(looking.compare(store.store_of(context.obj), Output(as_json), job))


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Try everything a job needs from here, and say what to do about what fails."""
    from producer import doctoring

    raise typer.Exit(doctoring.doctor(context.obj, Output(as_json)))

"""Is everything well: health, compare, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import DAY_S, JobId, Json, examples, in_range
from producer.output import Output


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("health", "health --watch --every 30", "health --json"))(health)
    app.command(epilog=examples("compare 20261123-7f3a"))(compare)
    app.command(epilog=examples("doctor", "doctor --json"))(doctor)


def health(
    context: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until Ctrl-C.")] = False,
    every: Annotated[
        float,
        typer.Option(
            "--every",
            help="Seconds between two looks.",
            callback=in_range(1, DAY_S, "seconds"),
        ),
    ] = 5.0,
    as_json: Json = False,
) -> None:
    """Availability, performance and integrity, checked now; exit 0 when everything is well."""
    from producer import health as work

    code = work.health(context.obj, Output(as_json), every_s=every if watch else None)
    raise typer.Exit(code)


def compare(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """The verdict of a job's row comparison; exit 3 without one, or when rows differ."""
    from producer import looking, store

    raise typer.Exit(looking.compare(store.store_of(context.obj), Output(as_json), job))


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Try everything a job needs from here, and say what to do about what fails."""
    from producer.doctor import checkup

    raise typer.Exit(checkup.doctor(context.obj, Output(as_json)))

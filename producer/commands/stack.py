"""The embedded stack: every server and agent on this host, in one directory, without containers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.options import Json, examples
from producer.output import Output
from producer.retention_options import KeepJobs, KeepPoints

StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir", help="Where the stack lives [default: BLUEGREEN_STATE_DIR, else .bluegreen]."
    ),
]
PostgresVersion = Annotated[
    int | None,
    typer.Option(
        "--postgres-version", min=15, max=18, help="Major version [default: the host's, else 18]."
    ),
]


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "up",
            "up --state-dir /tmp/stack --postgres-version 16",
            "up --keep-jobs 365",
            "up --json",
        )
    )(up)
    app.command(epilog=examples("down", "down --state-dir /tmp/stack"))(down)


def up(
    context: typer.Context,
    state_dir: StateDir = None,
    postgres_version: PostgresVersion = None,
    keep_jobs: KeepJobs = None,
    keep_points: KeepPoints = None,
    as_json: Json = False,
) -> None:
    """Start blue, green, control database, Redis, both doors, the agents and Flower.

    A stack that is up stays as it is, but for --keep-jobs and --keep-points. Nothing is installed
    or started outside the state directory.
    """
    from producer import stacking

    stacking.up(
        context.obj, Output(as_json), state_dir, postgres_version,
        jobs_days=keep_jobs, points_days=keep_points,
    )  # fmt: skip


def down(context: typer.Context, state_dir: StateDir = None, as_json: Json = False) -> None:
    """End every process of the stack and remove its directory, with all its data."""
    from producer import stacking

    stacking.down(context.obj, Output(as_json), state_dir)

"""Follow a live job, or steer it and then follow: watch, approve, pause, abort, rollback, finish.

The command is its own confirmation; `--yes` is taken so that a pipeline may always say it. Only a
restore by hand asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from producer.options import Detach, JobId, Json, WaitTimeout, Yes, examples
from producer.output import Output

if TYPE_CHECKING:
    from shared.ports import Steering

Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB|FILE",
        help="A job, its rollback point (rollback-...sql.zst), or its migration file.",
    ),
]

KeepSync = Annotated[
    bool,
    typer.Option(
        "--keep-sync",
        help="Keep both sides in sync: `approve` then switches again, `abort` gives it up.",
    ),
]


def register(app: typer.Typer) -> None:
    for command in (watch, approve, pause, resume, abort, rollback, finish):
        app.command(epilog=EXAMPLES[command.__name__])(command)


def watch(
    context: typer.Context,
    job: JobId,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """Follow a job to its end; exits as `run` does."""
    from producer import connections, following

    client = connections.connect(context.obj)
    raise typer.Exit(following.watch(client, Output(as_json), job, limit_s=wait_timeout))


def approve(
    context: typer.Context,
    job: JobId,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take the approval back, until the pause begins.")
    ] = False,
    yes: Yes = False,
    detach: Detach = False,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """Let a job go on that waits: because of --hold, or in sync after `rollback --keep-sync`.

    An approval counts for an hour (and for --switch-delay more), then it must be given again.
    """
    _steer(
        context,
        job,
        "withdraw" if withdraw else "approve",
        as_json,
        detach or withdraw,
        wait_timeout,
    )


def pause(context: typer.Context, job: JobId, yes: Yes = False, as_json: Json = False) -> None:
    """Let a safe job wait between two of its parts or batches; `resume` goes on."""
    _steer(context, job, "pause", as_json, detach=True, limit_s=None)


def resume(
    context: typer.Context,
    job: JobId,
    yes: Yes = False,
    detach: Detach = False,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """Let a job go on that was paused, or that is stuck, and follow it to the end."""
    _steer(context, job, "resume", as_json, detach, wait_timeout)


def abort(
    context: typer.Context,
    job: JobId,
    yes: Yes = False,
    detach: Detach = False,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """End a job: what it did is undone, in reverse order. Honoured at the next answer."""
    _steer(context, job, "abort", as_json, detach, wait_timeout)


def rollback(
    context: typer.Context,
    targets: Targets,
    keep_sync: KeepSync = False,
    yes: Yes = False,
    detach: Detach = False,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """Go back while the rollback window is open: no write since the cutover is lost.

    Without --keep-sync all is undone: the other side becomes the standby again. A rollback point
    whose job has ended is restored by hand, once you confirm it: into a new database beside the
    one that serves.
    """
    from producer import connections, keeping, steering

    client = connections.connect(context.obj)
    if len(targets) == 1 and steering.to_restore(client, targets[0]):
        keeping.restore(context.obj, Output(as_json), targets[0], yes=yes)
        return
    jobs = [steering.job_of(client, target) for target in targets]
    act: Steering = "keep-sync" if keep_sync else "rollback"
    found = steering.steer(client, Output(as_json), jobs, act, detach=detach, limit_s=wait_timeout)
    raise typer.Exit(found)


def finish(
    context: typer.Context,
    job: JobId,
    yes: Yes = False,
    detach: Detach = False,
    wait_timeout: WaitTimeout = None,
    as_json: Json = False,
) -> None:
    """Close the rollback window now: the way back ends, the old side becomes the standby."""
    _steer(context, job, "finish", as_json, detach, wait_timeout)


def _steer(
    context: typer.Context,
    job: str,
    act: Steering,
    as_json: bool,
    detach: bool,
    limit_s: float | None,
) -> None:
    """Ask for it and follow, unless detached; the process exits with the outcome."""
    from producer import connections, steering

    client = connections.connect(context.obj)
    output = Output(as_json)
    raise typer.Exit(steering.steer(client, output, [job], act, detach=detach, limit_s=limit_s))


EXAMPLES = {
    "watch": examples("watch 20261123-7f3a", "watch 20261123-7f3a --wait-timeout 600"),
    "approve": examples("approve 20261123-7f3a", "approve 20261123-7f3a --withdraw"),
    "pause": examples("pause 20261123-7f3a"),
    "resume": examples("resume 20261123-7f3a", "resume 20261123-7f3a --detach"),
    "abort": examples("abort 20261123-7f3a --wait-timeout 120"),
    "rollback": examples(
        "rollback 20261123-7f3a",
        "rollback 20261123-7f3a --keep-sync",
        "rollback migrations/002_drop.sql",
        "rollback backups/rollback-20261123-7f3a-20261123T114501Z.sql.zst",
    ),
    "finish": examples("finish 20261123-7f3a"),
}

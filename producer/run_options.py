"""The options of `run`, and what of them cannot be meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from producer.options import DAY_S, MONTH_S, in_range, option
from shared.domain.errors import MigrationError, Refused

KindName = Literal["safe", "risky", "maintenance"]
ScopeName = Literal["schema", "affected", "full", "none"]
OnMaintenance = Literal["hold", "refuse"]
OnSlowTransaction = Literal["wait", "cancel"]


def moment_option(text: str | None) -> str | None:
    """Read `--at`: a moment in the future, or a time of day, which is the next one; in UTC."""
    if text is None:
        return None
    from shared.domain.window import moment

    now = datetime.now(UTC)
    try:
        at = moment(text, now)
    except Refused as error:
        raise typer.BadParameter(f"{error.message} ({error.remedy})") from error
    if at <= now:
        raise typer.BadParameter(f"expected a time in the future, found {text}")
    return at.isoformat()


def window_option(text: str | None) -> str | None:
    """Read `--window`: a part of each day or of some days, in UTC or in a named zone."""
    if text is None or text == "always":
        return text
    from shared.domain.window import opens_at

    try:
        opens_at(None, text, datetime.now(UTC))
    except Refused as error:
        raise typer.BadParameter(f"{error.message} ({error.remedy})") from error
    return text


Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Migration files, applied in this order.")
]
Claimed = Annotated[
    KindName | None,
    option("--type", "The kind you take the migration for; below what it needs: exit 3."),
]
DryRun = Annotated[
    bool, option("--dry-run", "Validate and print the plan; needs no queue and no database.")
]
NoRollback = Annotated[
    bool, option("--no-rollback", "After a failure leave the servers as they are (exit 7).")
]
Timeout = Annotated[
    float,
    option(
        "--timeout",
        "Limit of the health checks and of confirm; over it the job rolls back.",
        metavar="SECONDS",
        callback=in_range(0, DAY_S, "seconds", open_low=True),
    ),
]
SwitchDelay = Annotated[
    float,
    option(
        "--switch-delay",
        "Wait between the verdict and the pause of the cutover.",
        metavar="SECONDS",
        callback=in_range(0, DAY_S, "seconds"),
    ),
]
RollbackWindow = Annotated[
    float,
    option(
        "--rollback-window",
        "How long the way back is kept open after the cutover.",
        metavar="SECONDS",
        callback=in_range(0, MONTH_S, "seconds"),
    ),
]
Hold = Annotated[bool, option("--hold", "Stop before the change and wait for `approve` (exit 4).")]
At = Annotated[
    str | None,
    option(
        "--at",
        "Not before this moment (2026-11-24T02:00+01:00), or the next 02:00; UTC without offset.",
        metavar="TIME",
        callback=moment_option,
    ),
]
Window = Annotated[
    str | None,
    option(
        "--window",
        "Only then: 22:00-04:30 (UTC), or Sat,Sun 22:00-04:30 Europe/Berlin; `always`: at any time"
        " [default: by kind, [windows] of bluegreen.toml].",
        metavar="[DAYS] HH:MM-HH:MM [ZONE]",
        callback=window_option,
    ),
]
Backup = Annotated[
    ScopeName | None,
    option("--backup", "What the rollback point holds [default: by kind, schema/affected/full]."),
]
Maintenance = Annotated[
    OnMaintenance,
    option("--on-maintenance", "What clients meet in a maintenance: held, or a clear refusal."),
]
SlowTransaction = Annotated[
    OnSlowTransaction,
    option("--on-slow-transaction", "A transaction open too long before the pause."),
]
LossyRollback = Annotated[
    bool, option("--accept-lossy-rollback", "Go on where a rollback would lose new values.")
]
BrokenStatements = Annotated[
    bool,
    option("--accept-broken-statements", "Go on where live statements fail on the new schema."),
]
Queries = Annotated[
    Path | None,
    option(
        "--queries",
        "What the application runs after the cutover: counts instead of what the server recorded.",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]

QUERY_TAGS = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def queries_of(file: Path | None) -> tuple[str, ...] | None:
    """The statements of a `--queries` file. Raises typer.BadParameter, which is exit 2."""
    if file is None:
        return None
    from shared.sql.parse import statements

    try:
        found = statements(file.read_text(encoding="utf-8"))
    except (MigrationError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--queries {file}: {error}") from error
    for statement in found:
        if statement.tag not in QUERY_TAGS:
            raise typer.BadParameter(
                f"--queries {file}: expected queries only, found {statement.tag} at "
                f"{statement.place}"
            )
    return tuple(statement.text for statement in found)


def refuse_contradictions(
    *, files: Sequence[Path], dry_run: bool, detach: bool, wait_timeout: float | None
) -> None:
    """Options that cannot both be meant. Raises typer.BadParameter, which is exit 2."""
    if dry_run and detach:
        raise typer.BadParameter("--dry-run and --detach contradict: nothing would be enqueued")
    if dry_run and wait_timeout is not None:
        raise typer.BadParameter("--dry-run and --wait-timeout contradict: nothing is waited for")
    if detach and wait_timeout is not None:
        raise typer.BadParameter("--detach and --wait-timeout contradict: --detach never waits")
    if detach and len(files) > 1:
        raise typer.BadParameter(
            "--detach takes one file: a second job begins only when the first has ended"
        )
    refuse_repeated(files)


def refuse_repeated(files: Sequence[Path]) -> None:
    """The same file twice is a slip of the pen. Raises typer.BadParameter."""
    seen: set[Path] = set()
    for path in files:
        if path.absolute() in seen:
            raise typer.BadParameter(f"{path} is given twice")
        seen.add(path.absolute())

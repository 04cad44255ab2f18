"""The options of the commands: each declared once, checked before anything is touched.

Precedence is flag, then environment (`BLUEGREEN_<NAME>`), then `bluegreen.toml`, then the default
shown by `--help`. A value out of range ends the command with exit 2 and names its option.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from shared.domain.errors import MigrationError, Refused

DAY_S = 86_400
MONTH_S = 30 * DAY_S

KindName = Literal["safe", "risky", "maintenance"]
ScopeName = Literal["schema", "affected", "full", "none"]
OnMaintenance = Literal["hold", "refuse"]
OnSlowTransaction = Literal["wait", "cancel"]
ColourName = Literal["blue", "green"]


def option(flag: str, sentence: str, **more: Any) -> Any:
    """An option that can also be set in the environment, under the flag's own name."""
    variable = "BLUEGREEN_" + flag.removeprefix("--").replace("-", "_").upper()
    return typer.Option(flag, help=sentence, envvar=variable, show_envvar=False, **more)


def examples(*lines: str) -> str:
    """The end of a help page: one example per line (`\\b` keeps the lines apart)."""
    return "\b\nExamples:\n" + "\n".join(f"  bluegreen {line}" for line in lines)


def in_range(low: float, high: float, unit: str, *, open_low: bool = False) -> Callable[..., Any]:
    """A check that a number is finite and inside the range; NaN compares false with all."""

    def check(value: float | None) -> float | None:
        if value is None:
            return None
        above = low < value if open_low else low <= value
        if not (math.isfinite(value) and above and value <= high):
            edge = "above" if open_low else "from"
            raise typer.BadParameter(
                f"expected {unit} {edge} {low:.16g} and up to {high:.16g}, found {value:.16g}"
            )
        return value

    return check


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


# What every command takes.
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; people's lines go to stderr.")
]
Yes = Annotated[bool, option("--yes", "Confirm every question beforehand.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id, like 20261123-7f3a.")]
MaybeJobId = Annotated[
    str | None, typer.Argument(metavar="[JOB]", help="The id, like 20261123-7f3a.")
]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Migration files, applied in this order.")
]
WaitTimeout = Annotated[
    float | None,
    option(
        "--wait-timeout",
        "Follow at most SECONDS, then exit 6; the job goes on.",
        metavar="SECONDS",
        callback=in_range(0, MONTH_S, "seconds", open_low=True),
    ),
]

# What `run` takes.
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
MaxStall = Annotated[
    int,
    option(
        "--max-stall",
        "Longest wait a cutover may cause; over it traffic stays where it is.",
        metavar="MS",
        callback=in_range(50, 60_000, "milliseconds"),
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
Detach = Annotated[bool, option("--detach", "Enqueue, print the job's id, and return.")]


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

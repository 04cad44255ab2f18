"""What is taken away on purpose is no fault: by a step of a job, or in a quiet time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.domain.window import opens_at
from shared.settings import QuietTime

_PAIR = ("blue.available", "green.available", ".retained_wal", "standby.", "replication.")
PLANNED: dict[str, tuple[str, ...]] = {
    "create_green": _PAIR,
    "restore_standby": _PAIR,
    "finish": ("standby.", "replication."),
    "pause_standby_replay": ("standby.", "replication."),
    "hold_traffic": ("door.", "pooler.", "log."),
    "apply_on_active": ("door.", "pooler.waiting"),
    "cutover": ("door.", "pooler.waiting", "replication.", "log."),
}
"""Steps that disturb a check on purpose, and parts of the names of the checks that they disturb."""


def is_planned(check: str, steps: set[str]) -> bool:
    """Whether one of the steps that run now takes away on purpose what the check looks at."""
    return any(part in check for step in steps for part in PLANNED.get(step, ()))


def is_quiet(check: str, quiet_times: Iterable[QuietTime], now: datetime) -> bool:
    """Whether now is a time of day in which that check is looked at and not counted.

    Raises Refused for a window of another form.
    """
    return any(
        check.startswith(quiet.checks) and opens_at(None, quiet.window, now) <= now
        for quiet in quiet_times
    )

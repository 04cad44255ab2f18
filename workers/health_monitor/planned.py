"""What is taken away on purpose is no fault: by the steps of a job, or in a quiet time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.health import RunningStep
from shared.domain.window import opens_at
from shared.monitor_settings import QuietTime
from shared.saga.recipes import RECIPES


@dataclass(frozen=True, slots=True)
class Disturbed:
    """From `first` to `last`, both included, a job takes away what these checks look at."""

    first: str
    last: str
    checks: tuple[str, ...]
    """Parts of their names."""
    only_backward: bool = False
    """Only while these steps are undone."""


_PAIR = ("blue.available", "green.available", ".retained_wal", "standby.", "replication.")
_FOLLOWING = ("standby.", "replication.")
PLANNED = (
    Disturbed("create_green", "create_green", _PAIR),
    Disturbed("subscribe", "catch_up", ("replication.",)),
    Disturbed("cutover", "cutover", ("door.", "pooler.waiting", "replication.", "log.")),
    Disturbed("restore_standby", "restore_standby", _PAIR),
    Disturbed("apply_on_active", "apply_on_active", ("door.", "pooler.waiting")),
    # A maintenance: the standby is held from the one end to the other, and so is the traffic.
    Disturbed("pause_standby_replay", "finish", _FOLLOWING),
    Disturbed("hold_traffic", "release_traffic", ("door.", "pooler.", "log.")),
    # Its way back: the standby takes over, and the old side is made the standby.
    Disturbed("pause_standby_replay", "confirm", _PAIR, only_backward=True),
    Disturbed("finish", "finish", _FOLLOWING),
)
"""A span counts for the kinds of migration whose recipe has both of its steps."""


def is_planned(check: str, running: Iterable[RunningStep]) -> bool:
    """Whether a live job takes away on purpose what the check looks at."""
    return any(
        _covers(span, now) and any(part in check for part in span.checks)
        for now in running
        for span in PLANNED
    )


def _covers(span: Disturbed, now: RunningStep) -> bool:
    names = [step.name for step in RECIPES[now.kind]]
    if not {span.first, span.last, now.step} <= set(names):
        return False
    if span.only_backward and not now.backward:
        return False
    return names.index(span.first) <= names.index(now.step) <= names.index(span.last)


def is_quiet(check: str, quiet_times: Iterable[QuietTime], now: datetime) -> bool:
    """Whether now is a time of day in which that check is looked at and not counted.

    Raises Refused for a window of another form.
    """
    return any(
        check.startswith(quiet.checks) and opens_at(None, quiet.window, now) <= now
        for quiet in quiet_times
    )

"""What a saga may be told. Each is a claim about one attempt; a stale one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Direction(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


class On(StrEnum):
    """The column `on` of the table."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    ABORT = "abort asked"
    KEEP_SYNC = "keep sync asked"
    PAUSE = "pause asked"
    GO_ON = "go on asked"
    TAKE_BACK = "withdraw asked"


Family = Literal["", "transient", "away", "refused", "broken", "late"]
"""What kind of failure: those of shared/domain/errors.py, and `late`: over the step's limit."""


Steering = Literal[
    "approve", "withdraw", "finish", "resume", "abort", "rollback", "keep-sync", "pause"
]
"""What a person may ask of a job that runs."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The coordinator has seen the job."""

    @property
    def on(self) -> On:
        return On.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one command; `step`, `direction`, `attempt` and `epoch` are the command's."""

    step: str
    direction: Direction
    attempt: int
    epoch: int
    kind: Literal["pending", "done", "failed"]
    said: str = ""
    family: Family = ""
    remedy: str = ""
    look_again_s: float = 0.5

    @property
    def on(self) -> On:
        return On(self.kind)


@dataclass(frozen=True, slots=True)
class Asked:
    """A person asks: `abort` and `rollback` to undo all, `keep-sync` to undo the cutover only,
    `approve`, `finish`, `resume` to go on, `withdraw` to take an approval back, `pause` to wait."""

    what: Steering
    who: str
    at: datetime
    """When it is read."""

    @property
    def on(self) -> On:
        if self.what == "keep-sync":
            return On.KEEP_SYNC
        if self.what == "withdraw":
            return On.TAKE_BACK
        if self.what == "pause":
            return On.PAUSE
        return On.ABORT if self.what in ("abort", "rollback") else On.GO_ON


SagaEvent = Accepted | Answer | Asked

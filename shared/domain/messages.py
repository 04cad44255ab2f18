"""Events, past tense: what happened, for everyone who watches. They wake, they never authorise.

One Redis stream (`bluegreen:events`) carries them as JSON with a version; a reader ignores
fields it does not know. What is true stands in the control database (docs/adr/0001).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

EVENT_VERSION = 1


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)
    version: int = EVENT_VERSION
    at: datetime
    """Aware, UTC."""


class _JobEvent(_Event):
    job: str


class _StepEvent(_JobEvent):
    step: str
    attempt: int
    epoch: int
    sentence: str = ""


class JobAccepted(_JobEvent):
    """A job stands in the control database; its recipe begins."""

    type: Literal["JobAccepted"] = "JobAccepted"
    kind: str
    file_name: str


class StepStarted(_StepEvent):
    type: Literal["StepStarted"] = "StepStarted"


class StepProgress(_StepEvent):
    """A step is not done yet and says how far it is; `progress` is 0 to 1 where it is known."""

    type: Literal["StepProgress"] = "StepProgress"
    progress: float | None = None


class StepDone(_StepEvent):
    type: Literal["StepDone"] = "StepDone"


class StepFailed(_StepEvent):
    type: Literal["StepFailed"] = "StepFailed"
    family: str
    remedy: str = ""


class StepUndone(_StepEvent):
    type: Literal["StepUndone"] = "StepUndone"


class CutoverDone(_JobEvent):
    """Traffic is on the other side; the stall is what a probe through the front door saw."""

    type: Literal["CutoverDone"] = "CutoverDone"
    direction: str
    window_ms: float
    longest_ms: float | None = None
    failed_transactions: int | None = None


class JobEnded(_JobEvent):
    type: Literal["JobEnded"] = "JobEnded"
    outcome: str
    sentence: str


class HealthChanged(_Event):
    type: Literal["HealthChanged"] = "HealthChanged"
    check: str
    healthy: bool
    sentence: str


class AlertRaised(_Event):
    type: Literal["AlertRaised"] = "AlertRaised"
    alert: str
    severity: Literal["info", "warning", "critical"]
    sentence: str
    detail: dict[str, Any] = {}


class AlertCleared(_Event):
    type: Literal["AlertCleared"] = "AlertCleared"
    alert: str
    sentence: str


Event = Annotated[
    JobAccepted
    | StepStarted
    | StepProgress
    | StepDone
    | StepFailed
    | StepUndone
    | CutoverDone
    | JobEnded
    | HealthChanged
    | AlertRaised
    | AlertCleared,
    Field(discriminator="type"),
]
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)

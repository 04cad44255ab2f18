"""What the health-monitor is told: how often it looks, from where on something is unhealthy, when
it does not count. Part of the stack's settings (shared/settings.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.domain.errors import Refused
from shared.domain.health import GROUPS
from shared.domain.window import opens_at

Share = Annotated[float, Field(gt=0, le=1)]
Above0 = Annotated[float, Field(gt=0)]
Bytes = Annotated[int, Field(ge=0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HealthLimits(_Frozen):
    """From where on a check is unhealthy. Shares are of 1."""

    full_share: Share = 0.9
    """Of connections, clients and processor time."""
    memory_share: Share = 0.95
    """Of the memory of a server's host that is taken, by whomever."""
    server_memory_share: Share = 0.8
    """Of that memory that the server itself takes."""
    disk_free_bytes: Bytes = 256 << 20
    lag_bytes: Bytes = 256 << 20
    lag_s: Above0 = 30.0
    lag_grows_s: Above0 = 60.0
    """So long may the lag grow from look to look."""
    retained_share: Share = 0.5
    """Of the free disk; a slot that keeps more WAL than that is about to stop the server."""
    response_ms: Above0 = 500.0
    response_factor: Above0 = 5.0
    """Over the stored baseline; the larger of the two limits counts."""
    refused_share: Share = 0.2
    """Of connections at the doors that led nowhere."""
    certificate_days: Above0 = 14.0
    unverified_h: Above0 = 1.0
    """So long may the newest rollback point be without proof."""
    verified_h: Above0 = 26.0
    """A daily proof that did not come is noticed after this."""


class QuietTime(_Frozen):
    """A part of each day in which some checks are looked at and not counted."""

    window: str
    """`02:00-04:00`, in UTC or in a named zone (shared/domain/window.py)."""
    checks: tuple[str, ...]
    """Beginnings of the checks' names: `green.`, `replication.`."""

    @field_validator("checks")
    @classmethod
    def _begin_checks(cls, beginnings: tuple[str, ...]) -> tuple[str, ...]:
        """One that no check begins with would be a quiet time in which nothing is quiet."""
        unknown = [text for text in beginnings if not _begins_a_check(text)]
        if unknown or not beginnings:
            found = ", ".join(map(repr, unknown)) or "none"
            raise ValueError(f"expected beginnings such as {', '.join(GROUPS)}, found {found}")
        return beginnings

    @field_validator("window")
    @classmethod
    def _is_a_window(cls, text: str) -> str:
        try:
            opens_at(None, text, datetime.now(UTC))
        except Refused as error:
            raise ValueError(error.message) from error
        return text


class FailoverSettings(_Frozen):
    policy: Literal["off", "ask", "auto"] = "ask"
    """`auto` promotes only where no acknowledged commit is missing."""
    after_s: Above0 = 3.0
    """So long the active server must be silent; one that restarts at once is left alone."""


class MonitorSettings(_Frozen):
    period_s: Above0 = 4.0
    window: Annotated[int, Field(ge=1)] = 3
    needed: Annotated[int, Field(ge=1)] = 2
    """`needed` of the last `window` looks make or end an alert."""
    agent_limit_s: Above0 = 2.0
    """Within this a task through an agent's queue must have run."""
    log_quiet_s: Above0 = 20.0
    """A new class of errors that was not seen for so long has gone away."""
    slow_period_s: Above0 = 60.0
    """Between two looks at what changes slowly: the schema, certificates, the audit."""
    limits: HealthLimits = Field(default_factory=HealthLimits)
    quiet_times: tuple[QuietTime, ...] = ()
    failover: FailoverSettings = Field(default_factory=FailoverSettings)

    @model_validator(mode="after")
    def _can_alert(self) -> MonitorSettings:
        if self.needed > self.window:
            raise ValueError(
                f"expected needed to be at most window, found {self.needed} of {self.window}: no "
                "alert would ever be raised"
            )
        return self


def _begins_a_check(text: str) -> bool:
    return bool(text) and any(
        text.startswith(f"{group}.") or f"{group}.".startswith(text) for group in GROUPS
    )

"""Whether the standby takes over from an active server that is dead. Pure: evidence, then verdict.

Two independent signals must agree, as in pg_auto_failover (docs/fault-tolerance.rst): we cannot
reach the active server, and its standby has lost the stream from it. One alone is a partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.environment import Colour

Policy = Literal["off", "ask", "auto"]
Act = Literal["wait", "refuse", "ask", "promote"]
STARTING_LIMIT_S = 60.0
"""A server that recovers from a crash is alive for so long."""


@dataclass(frozen=True, slots=True)
class Evidence:
    active: Colour
    silent_s: float
    """For how long nobody could log in to the active server; 0: it answers."""
    starting_s: float
    """For how long it has said that it is starting; 0: it does not."""
    standby_answers: bool
    standby_follows: bool
    """It is in recovery: a green that was forked for a job is not."""
    standby_took_over: bool
    """It serves already, and no job made it so: a takeover was left half done."""
    replay_paused: bool
    """A maintenance holds it before the file, as its way back."""
    stream_lost: bool
    """Nothing arrives from the active server."""
    ha_manager: str
    """Of another one that looks after these servers; empty: none was seen."""
    can_fence: bool
    """There is a way to the host of the active server."""


@dataclass(frozen=True, slots=True)
class Verdict:
    act: Act
    says: str


def judge(evidence: Evidence, policy: Policy, *, after_s: float) -> Verdict:
    """What is to be done now. `promote` still refuses where an acknowledged commit is missing."""
    dead, standby = evidence.active, evidence.active.other
    if policy == "off" or evidence.silent_s < after_s:
        return Verdict("wait", f"{dead} answers, or has not been silent for long")
    if 0 < evidence.starting_s < STARTING_LIMIT_S:
        return Verdict("wait", f"{dead} is starting")
    gone = f"{dead} has not answered for {evidence.silent_s:.0f} s"
    if (verdict := _of_the_standby(evidence, gone)) is not None:
        return verdict
    if not evidence.stream_lost:
        return Verdict("wait", f"{gone} to us, and still streams to {standby}: it lives")
    if not evidence.can_fence:
        return Verdict(
            "refuse",
            f"{gone}; there is no way to its host to fence it first, so nothing is promoted",
        )
    if policy == "ask":
        return Verdict("ask", f"{gone}; `bluegreen failover` lets {standby} take over")
    return Verdict("promote", f"{gone} and streams no more")


def _of_the_standby(evidence: Evidence, gone: str) -> Verdict | None:
    """What keeps it from taking over, or that it has; None: nothing."""
    dead, standby = evidence.active, evidence.active.other
    if evidence.ha_manager:
        return Verdict("refuse", f"{gone}; {evidence.ha_manager} looks after it, we do not")
    if not evidence.standby_answers:
        return Verdict("refuse", f"{gone}, and {standby} does not answer either")
    if evidence.standby_took_over:
        return Verdict(
            "promote", f"{gone}; {standby} has taken over and not every door leads there"
        )
    if not evidence.standby_follows:
        return Verdict(
            "refuse",
            f"{gone}; {standby} is no standby now but serves a job: start {dead} again, or end the "
            "job there",
        )
    if evidence.replay_paused:
        return Verdict("refuse", f"{gone}; {standby} is held as the way back of a maintenance")
    return None

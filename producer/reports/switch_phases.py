"""Where the phases of a pause lie on the clock of its probes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.ports import SwitchRecord

BESIDE = frozenset({"prepare_old"})
"""Phases that run beside others, on the other server."""
COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    begin_ms: float
    """From PAUSE."""
    end_ms: float

    @property
    def ms(self) -> float:
        return self.end_ms - self.begin_ms


def phases_of(switch: SwitchRecord) -> list[Phase]:
    """One after the other, from PAUSE on; empty where the process died in the pause."""
    found, at = [], 0.0
    for name, ms in switch.phases_ms.items():
        if name not in BESIDE:
            found.append(Phase(name, at, at + ms))
            at += ms
    return found


def after_window_ms(switch: SwitchRecord) -> float:
    """How far the picture of the pause goes: until the last held transaction was answered."""
    held = [
        at + latency for at, latency, _ in switch.samples
        if at <= switch.window_ms and at + latency >= 0
    ]  # fmt: skip
    return max([switch.window_ms, *held])

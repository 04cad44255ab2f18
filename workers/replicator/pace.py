"""How fast batches may follow one another: told by the application's own latency and by lag. Pure.

The application's latency is the mean time of its transactions through the pooled door. What is
usual is measured while no batch runs, and measured again every minute; a batch that makes
transactions clearly slower is followed by a longer pause, a harmless one by a shorter. While the
standby is far behind no batch runs at all. A pause has an upper bound: work goes on, if slowly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ENOUGH = 10
"""Transactions by which a mean is judged."""
QUIET_S = 1.0
"""How long nothing runs while the usual latency is measured."""
MEASURE_AGAIN_S = 60.0
SLOWER = 1.5
ROOM_MS = 2.0
"""Below a millisecond half as much again is no harm."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
LAG_LIMIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What the pooler counted so far."""

    at_s: float
    transactions: int
    seconds: float
    """Spent in transactions and in waiting for a server, over all clients."""

    def mean_ms_since(self, before: Sample) -> float | None:
        """None where too few transactions ended in between."""
        ended = self.transactions - before.transactions
        return (self.seconds - before.seconds) * 1000 / ended if ended >= ENOUGH else None


@dataclass
class Pace:
    usual_ms: float | None = None
    pause_s: float = 0.0
    why: str = ""
    """Why there is a pause; empty where there is none."""
    _before: Sample | None = None
    _quiet_since: Sample | None = None
    _measured_at_s: float = field(default=float("-inf"))

    def wants_quiet(self, sample: Sample) -> bool:
        """Whether no batch shall run now, so that the usual latency can be measured."""
        if self._quiet_since is None:
            if sample.at_s - self._measured_at_s < MEASURE_AGAIN_S:
                return False
            self._quiet_since = sample
            return True
        if sample.at_s - self._quiet_since.at_s < QUIET_S:
            return True
        self.usual_ms = sample.mean_ms_since(self._quiet_since)
        self._measured_at_s = sample.at_s
        self._quiet_since, self._before = None, sample
        return False

    def is_held_by(self, lag_bytes: int) -> bool:
        """Whether no batch shall run before the standby has come closer."""
        return lag_bytes > LAG_LIMIT_BYTES

    def saw(self, sample: Sample) -> None:
        """After a batch: the pause before the next follows from what it did to the application."""
        before, self._before = self._before, sample
        now_ms = None if before is None else sample.mean_ms_since(before)
        if now_ms is None or self.usual_ms is None:
            self._before = before or sample  # too few to judge by: the same stretch goes on
            return
        if now_ms > self.usual_ms * SLOWER + ROOM_MS:
            self.pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self.pause_s))
            self.why = f"transactions take {now_ms:.1f} ms, usually {self.usual_ms:.1f}"
        else:
            self.pause_s = 0.0 if self.pause_s < FIRST_PAUSE_S else 0.7 * self.pause_s
            self.why = self.why if self.pause_s else ""

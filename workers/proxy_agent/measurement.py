"""What a probe's samples say of one change of sides. Pure.

The figures are those of a client through the pooled door, from `AROUND_S` before PAUSE to
`AROUND_S` after RESUME.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

AROUND_S = 2.0
Sample = tuple[float, float, bool, str]
"""(reading of the monotonic clock at the begin, milliseconds, acknowledged, server)."""


@dataclass(frozen=True, slots=True)
class Measured:
    failed: int
    p50_ms: float | None
    p99_ms: float | None
    longest_ms: float | None
    samples: tuple[tuple[float, float, bool], ...]
    """(milliseconds from PAUSE, latency in milliseconds, acknowledged)."""
    new_side_writes: int
    """Acknowledged by the new side after RESUME."""


def measure(
    samples: Sequence[Sample], *, paused_at: float, resumed_at: float, new_server: str
) -> Measured:
    """`paused_at` and `resumed_at` are readings of the clock of the samples."""
    around = sorted(
        sample
        for sample in samples
        if sample[0] + sample[1] / 1000 >= paused_at - AROUND_S
        and sample[0] <= resumed_at + AROUND_S
    )
    before = sorted(ms for began, ms, ok, _ in around if ok and began + ms / 1000 < paused_at)
    during = [ms for began, ms, _, _ in around if began + ms / 1000 >= paused_at]
    return Measured(
        failed=sum(not ok for _, _, ok, _ in around),
        p50_ms=quantile(before, 0.50),
        p99_ms=quantile(before, 0.99),
        longest_ms=max(during, default=None),
        samples=tuple(
            (round((began - paused_at) * 1000, 1), ms, ok) for began, ms, ok, _ in around
        ),
        new_side_writes=sum(
            ok and server == new_server and began + ms / 1000 >= resumed_at
            for began, ms, ok, server in around
        ),
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The value that this share of an ordered sequence does not exceed; None of an empty one."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

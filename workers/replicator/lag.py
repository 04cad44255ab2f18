"""How far behind, and where that is going: told from the lag at several looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 20
SMALL_BYTES = 16 * 1024 * 1024
"""A lag that one moment of apply takes away: which way it goes does not matter."""
LOOKS_FOR_A_TREND = 3
MINUTE_S = 60


@dataclass
class Trend:
    """Looks at one job's lag: (seconds on a monotonic clock, bytes), oldest first."""

    _looks: list[tuple[float, int]] = field(default_factory=list)
    _most_bytes: int = 0

    def add(self, at_s: float, lag_bytes: int) -> None:
        self._looks = [*self._looks[-KEPT + 1 :], (at_s, lag_bytes)]
        self._most_bytes = max(self._most_bytes, lag_bytes)

    def bytes_per_s(self) -> float | None:
        """How fast the lag shrinks, negative while it grows; None before there are two looks."""
        if len(self._looks) < 2:
            return None
        (first_s, first), (last_s, last) = self._looks[0], self._looks[-1]
        return (first - last) / (last_s - first_s) if last_s > first_s else None

    def keeps_up(self) -> bool:
        """Whether the target can be waited for: it is as good as there, or comes nearer.

        A marker that arrives soon is not enough: where more is written than the target can apply,
        it would arrive later each time, and latest in the pause.
        """
        if not self._looks or self._looks[-1][1] <= SMALL_BYTES:
            return True
        rate = self.bytes_per_s()
        return len(self._looks) >= LOOKS_FOR_A_TREND and rate is not None and rate > 0

    def progress(self) -> float | None:
        if not self._most_bytes:
            return None
        return 1 - self._looks[-1][1] / self._most_bytes

    def sentence(self) -> str:
        lag_bytes = self._looks[-1][1]
        text = f"{lag_bytes / 1e6:.1f} MB behind"
        rate = self.bytes_per_s()
        if rate is None:
            return text
        if rate <= 0:
            return f"{text}, and falls back further: more is written than it can apply"
        left_s = lag_bytes / rate
        unit = f"{left_s:.0f} s" if left_s < 2 * MINUTE_S else f"{left_s / MINUTE_S:.0f} min"
        return f"{text}, about {unit} to go"

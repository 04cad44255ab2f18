"""How far behind, and where that is going: told from the lag at several looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 20
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

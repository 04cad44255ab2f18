"""How fast a comparison may go: the application's own latency decides. Pure.

Each barrier commits one small row on the side that serves, which is what an application's write
takes there. While that takes much longer than at the quickest, the comparison rests between its
pieces and takes smaller ones.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOWER = 4.0
"""Times the quickest commit seen: beyond it we are in somebody's way."""
UNNOTICED_MS = 15.0
"""A commit that takes less disturbs nobody, whatever the quickest took."""
SHORTEST_REST_S, LONGEST_REST_S = 0.05, 0.8


@dataclass
class Pace:
    quickest_ms: float | None = None
    rest_s: float = 0.0
    """Between two pieces."""

    def note(self, commit_ms: float) -> None:
        """A commit took so long: the rest doubles while they are slow, and halves after."""
        if self.quickest_ms is None or commit_ms < self.quickest_ms:
            self.quickest_ms = commit_ms
        if self.is_slow(commit_ms):
            self.rest_s = min(LONGEST_REST_S, max(SHORTEST_REST_S, 2 * self.rest_s))
        else:
            self.rest_s = 0.0 if self.rest_s <= SHORTEST_REST_S else self.rest_s / 2

    def is_slow(self, commit_ms: float) -> bool:
        limit_ms = max(UNNOTICED_MS, SLOWER * (self.quickest_ms or 0.0))
        return commit_ms > limit_ms

    @property
    def share(self) -> float:
        """Of the usual size of a piece."""
        return 1.0 if self.rest_s == 0.0 else 0.25

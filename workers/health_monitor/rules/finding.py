"""What a preflight rule answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.domain.kinds import Kind, Strategy
from workers.health_monitor.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Finding:
    message: str
    """What was expected and what was found."""
    remedy: str
    refuses: bool = True
    """False: a warning, which the job carries with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One check, over facts that were read before. Pure."""

    id: str
    kinds: frozenset[Kind]
    """Kinds of migration that need it."""
    check: Callable[[Snapshot], Iterator[Finding]]
    only: Strategy | None = None
    """The kind of pair that it is about: one with a standby to fork, or two servers of which one is
    copied; None: either."""

    def concerns(self, snapshot: Snapshot, kind: Kind) -> bool:
        return kind in self.kinds and self.only in (None, snapshot.strategy)


EVERY = frozenset(Kind)
RISKY = frozenset({Kind.RISKY})
MAINTENANCE = frozenset({Kind.MAINTENANCE})
STANDBY = frozenset({Kind.RISKY, Kind.MAINTENANCE})
"""Those that use the standing standby."""


def listed(names: tuple[str, ...], *, at_most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:at_most])
    more = len(names) - at_most
    return f"{shown} and {more} more" if more > 0 else shown

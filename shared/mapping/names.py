"""Our own names beside the user's, and renames in an order in which no name is ever taken twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

LANDING = "bluegreen_l_"
"""A landing column in state final."""
COMPUTED = "bluegreen_r_"
"""A computed column in state sync, where the landing column has its name."""
NEW = "bluegreen_n_"
"""A new column in state sync, when an old column has its name."""
DROPPED = "bluegreen_d_"
"""A dropped column or relation in state final, when a new one has its name."""
ASIDE = "bluegreen_m_"
"""A relation of the file's that stands under a replicated table's old name, in state sync."""
RETAINED = "bluegreen_u_"
"""An index or constraint on the target that keeps unique what is unique on the source."""
SPARE = "bluegreen_t_"
"""For the time of one statement, where names change places."""

MAX_BYTES = 63
"""NAMEDATALEN - 1 (PostgreSQL manual, "Identifiers and Key Words")."""

Place = TypeVar("Place", bound=Hashable)


def ours(prefix: str, name: str) -> str:
    """`prefix` and `name`, shortened to what PostgreSQL keeps, still different when names are."""
    wanted = prefix + name
    if len(wanted.encode()) <= MAX_BYTES:
        return wanted
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    room = MAX_BYTES - len(prefix) - len(digest) - 1
    head = name.encode()[:room].decode(errors="ignore")
    return f"{prefix}{head}_{digest}"


def is_ours(name: str) -> bool:
    return name.startswith((LANDING, COMPUTED, NEW, DROPPED, ASIDE, RETAINED, SPARE))


def in_order(
    moves: Iterable[tuple[Place, Place]], spare: Callable[[Place], Place]
) -> list[tuple[Place, Place]]:
    """The same moves, one after the other, each to a place that is free by then.

    Where places change hands in a circle one of them waits in `spare`. Sources are distinct, and
    so are targets. Read backwards, with each move turned round, the list is as good.
    """
    waiting = {source: target for source, target in moves if source != target}
    done: list[tuple[Place, Place]] = []
    while waiting:
        free = [source for source, target in waiting.items() if target not in waiting]
        if free:
            done += [(source, waiting.pop(source)) for source in free]
            continue
        first = next(iter(waiting))
        waiting[spare(first)] = waiting.pop(first)
        done.append((first, spare(first)))
    return done

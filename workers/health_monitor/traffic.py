"""Read from a server how its traffic fares; every query is one look, nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.named_queries import named_queries
from shared.domain.errors import Refused
from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES
from shared.ports import Node, Session

_SQL = named_queries(__file__, "traffic.sql")
_OURS = [*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE]
LOOK_LIMIT_S = 5.0
_NO_SUCH_OBJECT = ("3F000", "42883", "42501")


@dataclass(frozen=True, slots=True)
class Counters:
    commits: int
    rollbacks: int
    reset_at: str
    """When they began to count: counters of another beginning cannot be compared."""


@dataclass(frozen=True, slots=True)
class ErrorClasses:
    counts: dict[str, int]
    """By SQLSTATE."""
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream from the side that serves to the other one."""

    is_alive: bool
    is_lost: bool
    """The WAL that it needs was removed (`max_slot_wal_keep_size`): it cannot go on."""
    lag_bytes: int
    errors: int
    lost_values: int
    kept_bytes: int
    """WAL that slots of ours keep on the side that serves."""


def counters(session: Session) -> Counters:
    row = session.row(_SQL["counters"])
    assert row is not None, "a connected database has its row of statistics"
    return Counters(int(row[0]), int(row[1]), str(row[2]))


def errors_since(session: Session, since: datetime) -> ErrorClasses:
    """Empty where the server has no standing schema or no JSON log."""
    try:
        rows = session.rows(_SQL["errors"], (since, _OURS))
    except Refused as error:
        if error.code not in _NO_SUCH_OBJECT:
            raise
        rows = []
    return ErrorClasses(
        {code: int(count) for code, count, _ in rows if code},
        {code: str(words) for code, _, words in rows if code},
    )


def stream(serving: Node, other: Node, name: str) -> Stream:
    """How the stream of that name fares, from the side that serves to the other one.

    Raises Transient when one of the two cannot be asked.
    """
    with serving.session(limit_s=LOOK_LIMIT_S) as session:
        slot = session.row(_SQL["slot"], (name,))
        lost = int(session.value(_SQL["lost"]) or 0)
        kept = int(session.value(_SQL["kept"]))
    with other.session(limit_s=LOOK_LIMIT_S) as session:
        subscription = session.row(_SQL["subscription"], (name,))
    alive = slot is not None and bool(slot[0]) and subscription is not None
    enabled = subscription is not None and bool(subscription[0])
    return Stream(
        is_alive=alive and enabled,
        is_lost=slot is not None and bool(slot[2]),
        lag_bytes=int(slot[1] or 0) if slot is not None else 0,
        errors=int(subscription[1]) if subscription is not None else 0,
        lost_values=lost,
        kept_bytes=kept,
    )

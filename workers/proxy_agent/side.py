"""One server in a cutover: every act is one call of the standing schema, one round trip.

An act that its attempt may no longer do raises Transient with code BG001 (standing_attempt.sql).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import Node, Session
from workers.proxy_agent.attempt import Attempt, Recorded, Side, State, Way

LOCK_LIMIT_S = 0.2
"""An act that cannot have its locks in this time gives up, and the cutover with it."""
NEWEST = """SELECT attempt, job, way, side, state, returning_stream, apart_lsn, taken_over
FROM bluegreen.attempt ORDER BY attempt DESC LIMIT 1"""
SLOT = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
RECORD = "SELECT bluegreen.open_attempt(%s, %s, %s, %s, %s)"


class _Rehearsed(Exception):
    """Raised to leave nothing of a transaction."""


@dataclass(frozen=True, slots=True)
class ServerSide:
    colour: Colour
    session: Session

    def newest(self) -> Recorded | None:
        row = self.session.row(NEWEST)
        if row is None:
            return None
        number, job, way, side, state, returning, apart_at, taken_over = row
        return Recorded(number, job, Way(way), side, state, returning, apart_at, taken_over)

    def open_attempt(self, attempt: Attempt, side: Side) -> None:
        self.session.execute(
            RECORD, (attempt.number, attempt.job, attempt.way, side, attempt.returning)
        )

    def mend_streams(self, job: str) -> None:
        """Start again what only a lost connection has stopped."""
        self._ask("mend_streams(%s)", job)

    def is_meant_to_run(self, job: str, way: Way) -> bool:
        """Whether what led here last was to go on, also where it has stopped."""
        return bool(self._ask("is_meant_to_run(%s, %s)", job, way))

    def is_fenced(self) -> bool:
        return bool(self._ask("is_fenced()"))

    def fence(self, attempt: Attempt) -> None:
        self._ask("fence_old(%s)", attempt.number)

    def empty(self, limit_ms: int) -> tuple[int, int]:
        """End the application's sessions: how many there were, and how many are left over."""
        row = self.session.row("SELECT * FROM bluegreen.empty(%s)", (max(1, limit_ms),))
        assert row is not None
        return row[0], row[1]

    def sessions(self) -> int:
        """Of the application, and those on their way in."""
        return int(self._ask("sessions()"))

    def mark(self, token: str) -> dict[str, int]:
        """Write a marker; where the sequences stand, in the same round trip."""
        row = self.session.row(
            "SELECT bluegreen.write_marker(%s), bluegreen.sequence_positions()", (token,)
        )
        assert row is not None
        return dict(row[1])

    def see_marker(self, token: str, limit_ms: int) -> None:
        """It is there, and with it all before it; not yet on this side's disk."""
        if not self._ask("see_marker(%s, %s)", token, max(1, limit_ms)):
            raise Transient(
                f"expected a marker on {self.colour} within {limit_ms} ms, found none: "
                "replication is too slow or has stopped"
            )

    def advance_sequences(self, positions: dict[str, int], headroom: int) -> int:
        """How many were not that far yet."""
        return int(self._ask("advance_sequences(%s, %s)", json.dumps(positions), headroom))

    def create_return_slot(self, attempt: Attempt) -> None:
        self._ask("create_return_slot(%s)", attempt.number)

    def prepare_new(self, attempt: Attempt, positions: dict[str, int]) -> tuple[str, datetime]:
        """The LSN at which this side's own history begins, and this server's clock."""
        row = self.session.row(
            "SELECT apart_at, at FROM bluegreen.prepare_new(%s, %s)",
            (attempt.number, json.dumps(positions)),
        )
        assert row is not None
        return str(row[0]), row[1]

    def prepare_old(self, attempt: Attempt) -> None:
        self._ask("prepare_old(%s)", attempt.number)

    def commit_new(self, attempt: Attempt, not_after: datetime) -> State | None:
        """`not_after` is of this server's clock."""
        return self._state("commit_new(%s, %s)", attempt.number, not_after)

    def commit_old(self, attempt: Attempt) -> State | None:
        return self._state("commit_old(%s)", attempt.number)

    def part(self, attempt: Attempt) -> None:
        """End the stream that led here."""
        self._ask("part(%s)", attempt.number)

    def begin_return(self, attempt: Attempt, apart_at: str) -> None:
        self._ask("begin_return(%s, %s)", attempt.number, apart_at)

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """What is done in the block is not done: it only leaves this session's caches warm, since
        the first call of a function takes milliseconds."""
        with suppress(_Rehearsed), self.session.transaction():
            yield
            raise _Rehearsed

    def burn(self, attempt: Attempt) -> State | None:
        return self._state("burn(%s)", attempt.number)

    def give_back(self, attempt: Attempt) -> State | None:
        return self._state("give_back(%s)", attempt.number)

    def revoke(self, attempt: Attempt) -> None:
        self._ask("revoke(%s)", attempt.number)

    def take_over(self, attempt: Attempt, headroom: int) -> None:
        """Serve, though the other side was not asked."""
        self._ask("take_over(%s, %s, %s, %s)", attempt.number, attempt.job, attempt.way, headroom)

    def yield_to(self, attempt: Attempt) -> None:
        """Be closed, as the old side of an attempt that it never heard of."""
        self._ask("yield_to(%s, %s, %s)", attempt.number, attempt.job, attempt.way)

    def applied_up_to(self, way: Way) -> tuple[str, str | None] | None:
        """LSNs of the other side: applied here, and heard of; None where nothing leads here."""
        row = self.session.row("SELECT * FROM bluegreen.applied_up_to(%s)", (way,))
        return None if row is None or row[0] is None else (str(row[0]), row[1])

    def drop_slot(self, way: Way) -> bool:
        """False while the slot's reader has not let go yet."""
        return bool(self._ask("drop_stream_slot(%s)", way))

    def has_slot(self, way: Way) -> bool:
        return self.session.value(SLOT, (way.stream,)) is not None

    def end_transactions_older_than(self, limit_ms: int) -> int:
        return int(self._ask("end_transactions_older_than(%s)", limit_ms))

    def warm(self) -> None:
        self._ask("warm()")

    def clear_probe(self) -> None:
        self._ask("clear_probe()")

    def _ask(self, call: str, *params: Any) -> Any:
        return self.session.value(f"SELECT bluegreen.{call}", params or None)

    def _state(self, call: str, *params: Any) -> State | None:
        state: State | None = self._ask(call, *params)
        return state


@contextmanager
def opened(node: Node, *, limit_s: float) -> Iterator[ServerSide]:
    """A session for a cutover: no call takes longer than `limit_s`, none waits long for a lock."""
    with node.session(
        limit_s=limit_s, lock_limit_s=LOCK_LIMIT_S, application_name="bluegreen/cutover"
    ) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("SET synchronous_commit = on")
        yield ServerSide(node.colour, session)


@contextmanager
def bounded(limit_s: float, *sides: ServerSide) -> Iterator[None]:
    """A server that says nothing at all holds the block no longer: its session is cut, and the call
    under way raises Transient. (A statement's own limit is the server's to keep.)"""

    def cut() -> None:
        for side in sides:
            side.session.cut()

    timer = threading.Timer(limit_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

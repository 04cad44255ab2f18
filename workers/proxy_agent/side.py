"""One server in a cutover: every act is one call of the standing schema, one round trip.

An act that its attempt may no longer do raises Transient with code BG001 (standing_attempt.sql).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import Node, Session
from workers.proxy_agent.attempt import Attempt, Recorded, Side, State, Way

LOCK_LIMIT_S = 0.2
"""An act that cannot have its locks in this time gives up, and the cutover with it."""
NEWEST = """SELECT attempt, job, way, side, state, returning_stream, apart_lsn
FROM bluegreen.attempt ORDER BY attempt DESC LIMIT 1"""
SLOT = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
RECORD = "SELECT bluegreen.open_attempt(%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class ServerSide:
    colour: Colour
    session: Session

    def newest(self) -> Recorded | None:
        row = self.session.row(NEWEST)
        if row is None:
            return None
        number, job, way, side, state, returning, apart_at = row
        return Recorded(number, job, Way(way), side, state, returning, apart_at)

    def open_attempt(self, attempt: Attempt, side: Side) -> None:
        self.session.execute(
            RECORD, (attempt.number, attempt.job, attempt.way, side, attempt.returning)
        )

    def is_fenced(self) -> bool:
        return bool(self._ask("is_fenced()"))

    def fence(self, attempt: Attempt) -> None:
        self._ask("fence_old(%s)", attempt.number)

    def empty(self, limit_ms: int) -> tuple[int, int]:
        """End the application's sessions: how many there were, and how many are left over."""
        row = self.session.row("SELECT * FROM bluegreen.empty(%s)", (max(1, limit_ms),))
        assert row is not None
        return row[0], row[1]

    def mark(self, token: str) -> dict[str, int]:
        """Write a marker; where the sequences stand, in the same round trip."""
        row = self.session.row(
            "SELECT bluegreen.write_marker(%s), bluegreen.sequence_positions()", (token,)
        )
        assert row is not None
        return dict(row[1])

    def await_marker(self, token: str, limit_ms: int) -> None:
        if not self._ask("await_marker(%s, %s)", token, max(1, limit_ms)):
            raise Transient(
                f"expected a marker on {self.colour} within {limit_ms} ms, found none: "
                "replication is too slow or has stopped"
            )

    def advance_sequences(self, positions: dict[str, int], headroom: int) -> int:
        """How many were not that far yet."""
        return int(self._ask("advance_sequences(%s, %s)", json.dumps(positions), headroom))

    def create_return_slot(self, attempt: Attempt) -> None:
        self._ask("create_return_slot(%s)", attempt.number)

    def prepare_new(self, attempt: Attempt, positions: dict[str, int]) -> str:
        """The LSN at which this side's own history begins."""
        row = self.session.row(
            "SELECT apart_at FROM bluegreen.prepare_new(%s, %s)",
            (attempt.number, json.dumps(positions)),
        )
        assert row is not None
        return str(row[0])

    def prepare_old(self, attempt: Attempt, apart_at: str) -> None:
        self._ask("prepare_old(%s, %s)", attempt.number, apart_at)

    def commit_new(self, attempt: Attempt) -> State | None:
        return self._state("commit_new(%s)", attempt.number)

    def commit_old(self, attempt: Attempt, apart_at: str) -> State | None:
        return self._state("commit_old(%s, %s)", attempt.number, apart_at)

    def burn(self, attempt: Attempt) -> State | None:
        return self._state("burn(%s)", attempt.number)

    def give_back(self, attempt: Attempt) -> State | None:
        return self._state("give_back(%s)", attempt.number)

    def revoke(self, attempt: Attempt) -> None:
        self._ask("revoke(%s)", attempt.number)

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

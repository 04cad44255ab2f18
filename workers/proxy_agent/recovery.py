"""Find what an earlier process left of a cutover, by asking both servers and the doors.

The servers' records of the newest attempt are the truth; memory of any process is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import DirectDoor, Node, Pooler
from workers.proxy_agent import locks
from workers.proxy_agent.attempt import Attempt, Side, State, newest
from workers.proxy_agent.reach import Reach, reaching
from workers.proxy_agent.settle import End, Settlement
from workers.proxy_agent.side import ServerSide

LIMIT_S = 2.0
"""For a look outside a pause, where nobody waits for us."""
DECIDED = """SELECT decided_at, extract(epoch FROM decided_at - opened_at) * 1000
FROM bluegreen.attempt WHERE attempt = %s"""


@dataclass(frozen=True, slots=True)
class Found:
    """The newest attempt, and its state on each side that answered and knows it."""

    attempt: Attempt
    states: Mapping[Side, State]
    taken_over: bool = False
    """The new side serves though the old one was dead: what that had not sent is missing."""

    def is_of(self, job: str) -> bool:
        return self.attempt.job == job


@dataclass(frozen=True, slots=True)
class Recovery:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    door: DirectDoor

    def look(self) -> Found | None:
        """None when no server knows an attempt. Raises Transient when neither answers."""
        with self._reach() as sides:
            records = {
                colour: side.ask(lambda it: (it.newest(),)) for colour, side in sides.items()
            }
        if all(record is None for record in records.values()):
            raise Transient("expected a server to answer, found neither; looking again")
        known = newest({colour: record and record[0] for colour, record in records.items()})
        if known is None:
            return None
        attempt, states = known
        return Found(attempt, states, any(
            record is not None and record[0] is not None
            and record[0].number == attempt.number and record[0].taken_over
            for record in records.values()
        ))  # fmt: skip

    def settle(self, found: Found) -> End:
        """End it, forward or back. Raises Transient while its own process, or watchdog, lives."""
        attempt = found.attempt
        with self._reach() as sides:
            new = sides[attempt.new]
            for lock in (locks.SWITCH, locks.WATCHDOG):
                new.ask(lambda side, lock=lock: locks.expect_free(side, lock))  # type: ignore[misc]
            return Settlement(self.pooler, self.door).settle(attempt, sides[attempt.old], new)

    def serves(self, found: Found) -> bool:
        """Whether the attempt's new side serves: committed, open, every door leads to it."""
        attempt = found.attempt
        if found.states.get("new") != "committed":
            return False
        with self._reach() as sides:
            fences = {colour: side.ask(lambda it: it.is_fenced()) for colour, side in sides.items()}
        return (
            fences[attempt.new] is False
            and fences[attempt.old] is not False
            and self.pooler.routed_to() is attempt.new
            and not self.pooler.is_paused()
            and self.door.routed_to() is attempt.new
        )

    def drop_old_slot(self, attempt: Attempt) -> None:
        """The slot of the stream that led to the new side: it would hold the old side's WAL.

        A server that does not answer keeps it; it goes when that server is made a standby.
        Raises Transient while the reader has not let go.
        """
        with self._reach() as sides:
            if sides[attempt.old].ask(lambda side: side.drop_slot(attempt.way)) is False:
                raise Transient(f"the slot {attempt.way.stream} is still held by its reader")
            for side in sides.values():
                side.ask(ServerSide.clear_probe)

    def has_old_slot(self, attempt: Attempt) -> bool:
        with self._reach() as sides:
            return bool(sides[attempt.old].ask(lambda side: side.has_slot(attempt.way)))

    def decided(self, attempt: Attempt) -> tuple[datetime, float]:
        """When the new side committed, and how many milliseconds that was after the beginning."""
        with self._reach() as sides:
            row = sides[attempt.new].ask(lambda side: side.session.row(DECIDED, (attempt.number,)))
        if row is None:
            raise Transient(f"{attempt.new} does not answer; looking again")
        return row[0], float(row[1])

    @contextmanager
    def _reach(self) -> Iterator[dict[Colour, Reach]]:
        with (
            reaching(self.nodes[Colour.BLUE], limit_s=LIMIT_S) as blue,
            reaching(self.nodes[Colour.GREEN], limit_s=LIMIT_S) as green,
        ):
            yield {Colour.BLUE: blue, Colour.GREEN: green}

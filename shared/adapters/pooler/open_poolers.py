"""All poolers over connections that stay open: each order goes to every one of them at once.

The laws are those of poolers.py; here stands what becomes of one that does not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from shared.adapters.pooler.pgbouncer import OpenPgBouncer
from shared.adapters.pooler.pooler_member import Found, Member
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Transient
from shared.ports import Pooler, PoolTraffic
from shared.settings import Settings

SHARE_OF_PAUSE = 0.8
"""Of the limit: the rest is for letting go those that had come to rest."""


@dataclass
class OpenPoolers:
    settings: Settings
    members: Sequence[Member]
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(len(self.members))

    def opened(self) -> AbstractContextManager[Pooler]:
        return _same(self)

    def pause(self, *, limit_s: float) -> None:
        """All acknowledge within the limit, or all go on. One that does not answer is one that
        did not acknowledge: its clients would go on writing."""
        deadline = time.monotonic() + SHARE_OF_PAUSE * limit_s

        def hold(member: Member) -> None:
            left_s = max(0.001, deadline - time.monotonic())
            member.ask(lambda console: console.pause(limit_s=left_s))

        problems = self._each(hold)
        if problems:
            self._each(lambda member: member.ask(OpenPgBouncer.resume))
            raise Transient(f"{problems[0].message}; every pooler goes on as before")

    def resume(self) -> None:
        """All that may go on do, whatever becomes of the others, which are named then."""
        astray = [member.name for member in self.members if member.is_astray]

        def let_go(member: Member) -> None:
            if not member.is_astray:
                member.reach()
                member.ask(OpenPgBouncer.resume)

        problems = self._each(let_go)
        if astray:
            raise Transient(f"{astray[0]} does not lead where it must and was not resumed")
        self._expect_one(problems)

    def is_paused(self) -> bool:
        """Whether any of those that answer holds its clients."""
        return any(self._answers(OpenPgBouncer.is_paused))

    def refuse(self) -> None:
        self._expect_one(self._each(lambda member: member.ask(OpenPgBouncer.refuse)))

    def admit(self) -> None:
        self._expect_one(self._each(lambda member: member.ask(OpenPgBouncer.admit)))

    def traffic(self) -> PoolTraffic:
        """Of those that answer, together."""
        found = self._answers(OpenPgBouncer.traffic)
        return PoolTraffic(
            sum(each.transactions for each in found), sum(each.seconds for each in found)
        )

    def prepare_route(self, colour: Colour) -> None:
        for member in self.members:
            member.file.prepare(colour)

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        """The files of all are written first: whichever starts from now on leads there. One that
        does not run needs no more; one that runs and cannot be led is kept from resuming."""
        for member in self.members:
            if not member.file.holds(colour):
                member.file.put_in_place(colour)

        def lead(member: Member) -> None:
            member.is_astray = not member.is_down()
            if member.is_astray and member.reach():
                member.ask(lambda console: console.route_to(colour, flush=False))
                member.is_astray = False

        problems = self._each(lead)
        if not any(member.console is not None for member in self.members):
            raise Transient("expected a pooler to answer, found none of them")
        if len(problems) == len(self.members):
            raise problems[0]
        if flush:
            self.flush_route()

    def flush_route(self) -> None:
        for member in self.members:
            member.file.flush()
            member.file.discard_drafts()

    def routed_to(self) -> Colour:
        """Raises Transient when those that answer lead to different sides."""
        found = set(self._answers(OpenPgBouncer.routed_to))
        if len(found) != 1:
            raise Transient("expected all poolers to lead to one side, found both")
        return found.pop()

    def connections(self) -> int:
        """Of those that answer, together."""
        return sum(self._answers(OpenPgBouncer.connections))

    def width(self) -> int:
        """Of the narrowest."""
        return min(self._answers(OpenPgBouncer.width))

    def narrow(self, at_once: int) -> None:
        """Each of them: how clients are spread over them is not known."""
        self._expect_one(self._each(lambda member: member.ask(lambda it: it.narrow(at_once))))

    def widen(self) -> None:
        self._expect_one(self._each(lambda member: member.ask(OpenPgBouncer.widen)))

    def _each(self, deed: Callable[[Member], None]) -> list[MigrationError]:
        """Do it to all at once; what went wrong."""

        def tried(member: Member) -> MigrationError | None:
            try:
                deed(member)
            except MigrationError as error:
                return error
            return None

        return [error for error in self._threads.map(tried, self.members) if error is not None]

    def _answers(self, question: Callable[[OpenPgBouncer], Found]) -> list[Found]:
        """Of those that answer. Raises Transient when none does, Broken what one says."""
        found, problems = [], []
        for member in self.members:
            try:
                found.append(member.ask(question))
            except Transient as error:
                problems.append(error)
        if not found:
            raise problems[0]
        return found

    def _expect_one(self, problems: Sequence[MigrationError]) -> None:
        """One that is away holds nobody. Raises when none did it, or one that answered refused."""
        if len(problems) == len(self.members):
            raise problems[0]
        for problem in problems:
            if isinstance(problem, Broken):
                raise problem


@contextmanager
def _same(poolers: OpenPoolers) -> Iterator[Pooler]:
    yield poolers

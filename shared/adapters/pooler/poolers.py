"""All poolers that clients use, as one: held together, led together.

Guarantee   `pause` returns: every one holds its clients; it raises: none does
            `route_to` returns: each that runs leads there, each that is away will when it starts
Repeats     safe
Fails with  what shared/adapters/pooler/pgbouncer.py fails with; the message names the pooler
Source      docs/cutover.md, "Several proxies"
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from shared.adapters.pooler.pgbouncer import OpenPgBouncer, PgBouncer
from shared.adapters.pooler.route_file import RouteFile
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Transient
from shared.ports import Pooler, PoolTraffic
from shared.settings import PoolerSettings, Settings

Found = TypeVar("Found")
LISTEN_LIMIT_S = 0.3
SHARE_OF_PAUSE = 0.8
"""Of the limit: the rest is for letting go those that had come to rest."""


def poolers_of(settings: Settings) -> Pooler:
    """The Pooler port over every proxy that the settings name."""
    if not settings.further_poolers:
        return PgBouncer(settings)
    return Poolers(settings)


@dataclass(frozen=True, slots=True)
class Poolers:
    """By their settings; every call opens connections, `opened()` keeps them."""

    settings: Settings

    @contextmanager
    def opened(self) -> Iterator[OpenPoolers]:
        """One that does not answer is left out; it is asked again at each call that needs it.

        Raises Transient when none answers.
        """
        addresses = (self.settings.pooler, *self.settings.further_poolers)
        with ExitStack() as stack:
            members = [Member(self.settings, address, stack) for address in addresses]
            if not any([member.reach() for member in members]):
                raise Transient("expected a pooler to answer, found none of them")
            yield OpenPoolers(self.settings, members)

    def pause(self, *, limit_s: float) -> None:
        with self.opened() as poolers:
            poolers.pause(limit_s=limit_s)

    def resume(self) -> None:
        with self.opened() as poolers:
            poolers.resume()

    def is_paused(self) -> bool:
        with self.opened() as poolers:
            return poolers.is_paused()

    def refuse(self) -> None:
        with self.opened() as poolers:
            poolers.refuse()

    def admit(self) -> None:
        with self.opened() as poolers:
            poolers.admit()

    def traffic(self) -> PoolTraffic:
        with self.opened() as poolers:
            return poolers.traffic()

    def prepare_route(self, colour: Colour) -> None:
        with self.opened() as poolers:
            poolers.prepare_route(colour)

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        with self.opened() as poolers:
            poolers.route_to(colour, flush=flush)

    def flush_route(self) -> None:
        with self.opened() as poolers:
            poolers.flush_route()

    def routed_to(self) -> Colour:
        with self.opened() as poolers:
            return poolers.routed_to()

    def width(self) -> int:
        with self.opened() as poolers:
            return poolers.width()

    def narrow(self, at_once: int) -> None:
        with self.opened() as poolers:
            poolers.narrow(at_once)

    def widen(self) -> None:
        with self.opened() as poolers:
            poolers.widen()


@dataclass
class Member:
    """One pooler of several: its file, and its console while it answers."""

    settings: Settings
    address: PoolerSettings
    stack: ExitStack
    console: OpenPgBouncer | None = None
    is_astray: bool = False
    """It runs, and could not be led where its file says: it must not be resumed."""

    @property
    def name(self) -> str:
        return f"pooler {self.address.host}:{self.address.port}"

    @property
    def file(self) -> RouteFile:
        return RouteFile(self.settings, self.address.route_file)

    def reach(self) -> bool:
        """Whether it answers, over a new connection where the old one broke."""
        try:
            if self.console is not None:
                self.console.is_paused()
                return True
        except Transient:
            self.console = None
        try:
            pooler = PgBouncer(self.settings, self.address)
            self.console = self.stack.enter_context(pooler.opened())
        except Transient:
            return False
        return True

    def is_down(self) -> bool:
        """Nobody listens there. One that is frozen, or behind a broken network, is not down."""
        address = (self.address.host, self.address.port)
        try:
            socket.create_connection(address, LISTEN_LIMIT_S).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def ask(self, question: Callable[[OpenPgBouncer], Found]) -> Found:
        """Raises Transient, with its name, where it does not answer."""
        if self.console is None and not self.reach():
            raise Transient(f"{self.name} does not answer")
        assert self.console is not None
        try:
            return question(self.console)
        except MigrationError as error:
            raise type(error)(f"{self.name}: {error.message}", code=error.code) from error


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

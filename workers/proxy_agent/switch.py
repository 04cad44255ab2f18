"""One cutover, in either direction: make ready, arm the watchdog, hold, commit, lead on, resume.

Guarantee   `run` returns: the new side serves, every door leads to it. It raises: the old one does
Repeats     each run is an attempt of its own, with a number above all before it
Undo        a run with the colours exchanged
Fails with  Transient  nothing has changed for the application, and another try may succeed
            Broken, Refused  nothing has changed either, and another try is useless
Source      docs/cutover.md
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Transient
from shared.narrowing import CALM_S, narrowed, needed
from shared.ports import Companion, DirectDoor, Node, Pooler
from workers.proxy_agent import locks, pause, preparation
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.carried import NOTHING, Watched
from workers.proxy_agent.pause_clock import PauseClock, nothing
from workers.proxy_agent.reach import reaching
from workers.proxy_agent.settle import End, Settlement
from workers.proxy_agent.side import ServerSide, bounded, opened

CALL_LIMIT_S = 10.0
"""Of a call before the pause; in it the clock bounds every call."""
PREPARATION_LIMIT_S = 60.0
"""Of all of it: a network that drops everything is found by nobody else."""
WATCHDOG_START_LIMIT_S = 10.0
WATCHDOG_ANSWER_LIMIT_S = 1.0
WATCHDOG_END_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    job: str
    way: Way
    old: Colour
    returning: bool
    max_stall_ms: float
    on_slow_transaction: Literal["wait", "cancel"] = "wait"
    watched: Watched = NOTHING


@dataclass(frozen=True, slots=True)
class Switched:
    """What it took."""

    attempt: Attempt
    at: datetime
    paused_at: float
    resumed_at: float
    """Readings of the monotonic clock."""
    phases_ms: Mapping[str, float]
    connections_cut: int
    """Sessions of the application outside the pool: those of the direct door."""

    @property
    def window_ms(self) -> float:
        """From PAUSE to RESUME."""
        return round((self.resumed_at - self.paused_at) * 1000, 3)


@dataclass(frozen=True, slots=True)
class Switch:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    door: DirectDoor
    watchdog: Callable[[Attempt], AbstractContextManager[Companion]]
    """Starts it; its first message says that it is ready."""
    at: Callable[[str], None] = nothing
    """Called at each named point of the pause."""

    def run(self, order: Order, when_ready: Callable[[], None] = lambda: None) -> Switched:
        """`when_ready` is called when all is prepared and nothing has begun."""
        with (
            opened(self.nodes[order.old], limit_s=CALL_LIMIT_S) as old,
            opened(self.nodes[order.old.other], limit_s=CALL_LIMIT_S) as new,
            self.pooler.opened() as pooler,
            self.door.kept() as door,
        ):
            with bounded(PREPARATION_LIMIT_S, old, new):
                locks.take(new, locks.SWITCH)
                attempt = self._next(order, old, new)
                preparation.expect_doors(attempt, pooler, self.door)
                preparation.expect_sides(attempt, old, new)
            pooler.prepare_route(attempt.new)
            with self.watchdog(attempt) as watchdog:
                with bounded(PREPARATION_LIMIT_S, old, new):
                    preparation.make_ready(old, new)
                    _expect_ready(watchdog)
                    when_ready()
                    preparation.expect_short_transactions(old, order.on_slow_transaction)
                    preparation.open_attempt(attempt, old, new, order.watched)
                at_once = needed(pooler)
                with narrowed(pooler, at_once):
                    with bounded(PREPARATION_LIMIT_S, old, new):
                        time.sleep(CALM_S)
                        preparation.expect_short_transactions(old, order.on_slow_transaction)
                    switched = self._switched(
                        order, attempt, old, new, pooler, door, watchdog, at_once
                    )
                _dismiss(watchdog, widened=True)
                return switched

    def _switched(
        self,
        order: Order,
        attempt: Attempt,
        old: ServerSide,
        new: ServerSide,
        pooler: Pooler,
        door: DirectDoor,
        watchdog: Companion,
        at_once: int,
    ) -> Switched:
        """From PAUSE on, under the watchdog's eyes. Raises what the attempt gave up with."""
        deadline = time.monotonic() + order.max_stall_ms / 1000
        watchdog.say({"deadline": deadline})
        watchdog.hear(limit_s=WATCHDOG_ANSWER_LIMIT_S)
        clock = PauseClock(order.max_stall_ms, deadline, self.at)
        cut = 0
        try:
            cut = self._hold(
                attempt, old, new, pooler, door, clock, watchdog, at_once, order.watched
            )
        except MigrationError as error:
            if self._settle(attempt) == "back":  # else, unsettled, the watchdog goes on
                _dismiss(watchdog)
                raise _gave_up(attempt, clock, error) from error
        return Switched(
            attempt, datetime.now(UTC), clock.began, clock.ended or time.monotonic(),
            clock.phases_ms, cut,
        )  # fmt: skip

    def _next(self, order: Order, old: ServerSide, new: ServerSide) -> Attempt:
        known = [record.number for side in (old, new) if (record := side.newest()) is not None]
        number = max(known, default=0) + 1
        return Attempt(number, order.job, order.way, order.old, order.old.other, order.returning)

    def _hold(
        self,
        attempt: Attempt,
        old: ServerSide,
        new: ServerSide,
        pooler: Pooler,
        door: DirectDoor,
        clock: PauseClock,
        watchdog: Companion,
        at_once: int,
        watched: Watched,
    ) -> int:
        guarded_s = clock.left_s() + pause.CONSENT_LIMIT_S
        with (
            _no_garbage_collection(),
            pause.standing_thread() as thread,
            bounded(guarded_s, old),
        ):
            held = pause.hold_and_commit(attempt, old, new, pooler, door, clock, thread, watched)
            pause.lead_to_new(attempt, old, pooler, door, clock, at_once)
        with suppress(Transient):  # one that is dead by now has nothing left to do
            watchdog.say({"done": True})
        pause.conclude(attempt, held, old, new, pooler)
        return held.connections_cut

    def _settle(self, attempt: Attempt) -> End:
        """Raises Transient, and says so, where the end is still to be seen."""
        try:
            with (
                reaching(self.nodes[attempt.old]) as old,
                reaching(self.nodes[attempt.new]) as new,
            ):
                return Settlement(self.pooler, self.door).settle(attempt, old, new)
        except Transient as error:
            raise Transient(
                f"{error.message}; attempt {attempt.number} is not settled yet: "
                "the watchdog, or the next look, brings it to its end",
                code=error.code,
            ) from error


def _gave_up(attempt: Attempt, clock: PauseClock, error: MigrationError) -> MigrationError:
    """What is said of a pause that was taken back, in the family of what went wrong."""
    said = (
        f"gave up in phase `{clock.gave_up_in()}` after {clock.window_ms():.0f} ms: "
        f"{error.message}; the application is on {attempt.old} as before"
    )
    family = Transient if isinstance(error, Transient) else Broken
    return family(said, code=error.code)


def _expect_ready(watchdog: Companion) -> None:
    answer = watchdog.hear(limit_s=WATCHDOG_START_LIMIT_S)
    if problem := answer.get("problem"):
        raise Transient(f"the watchdog is not ready: {problem}")


def _dismiss(watchdog: Companion, *, widened: bool = False) -> None:
    """Nothing is left for it to do, but to widen the pool. One that is frozen by now is killed."""
    with suppress(Transient):
        watchdog.say({"done": True, "widened": True} if widened else {"done": True})
    watchdog.end(limit_s=WATCHDOG_END_LIMIT_S)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A full collection takes tens of milliseconds, and clients wait."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

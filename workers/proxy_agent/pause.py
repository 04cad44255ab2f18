"""The pause itself: from PAUSE to the commit point under one deadline, and from there to RESUME.

Order and invariants: docs/cutover.md. Whatever is raised before the commit point leaves an attempt
that `settle` takes back; behind it, one that `settle` takes forward.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import Transient
from shared.ports import DirectDoor, Pooler
from workers.proxy_agent.attempt import Attempt
from workers.proxy_agent.carried import Watched, expect_unchanged
from workers.proxy_agent.pause_clock import PauseClock, nothing
from workers.proxy_agent.preparation import new_token
from workers.proxy_agent.side import ServerSide, bounded

CONSENT_LIMIT_S = 1.0
"""Behind the deadline, which is the watchdog's moment to go on instead."""
CONCLUDE_LIMIT_S = 5.0
AFTER_RESUME_S = 0.3
"""While clients log in again, the processor is theirs: what is left waits so long."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the pause learned up to the commit point."""

    connections_cut: int
    apart_at: str


@contextmanager
def standing_thread() -> Iterator[Executor]:
    """One thread that has started already: to start one in the pause costs clients its start."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(nothing, "").result()
        yield thread


def hold_and_commit(
    attempt: Attempt,
    old: ServerSide,
    new: ServerSide,
    pooler: Pooler,
    door: DirectDoor,
    clock: PauseClock,
    thread: Executor,
    watched: Watched,
) -> Held:
    """Up to the commit point.

    Raises Transient when time is up, a lock is not to be had, or the attempt was burnt meanwhile.
    """
    with bounded(clock.left_s(), old, new):
        clock.begin()
        with clock.phase("pause"):
            pooler.pause(limit_s=clock.left_s())
        with clock.phase("hold_door"):
            door.hold()
        with clock.phase("fence"):
            old.fence(attempt)
        with clock.phase("empty"):
            cut, left_over = old.empty(int(clock.left_s() * 1000))
            if left_over:
                raise Transient(f"expected no session of the application, found {left_over} left")
        token = new_token()
        with clock.phase("marker"):
            positions = old.mark(token)
        with _beside(thread, lambda: _prepare_old(attempt, old, clock, watched)):
            with clock.phase("catch_up"):
                new.see_marker(token, int(clock.left_s() * 1000))
            with clock.phase("prepare_new"):
                apart_at, now = new.prepare_new(attempt, positions)
                not_after = now + timedelta(seconds=clock.left_s())
        with clock.phase("commit"):
            state = new.commit_new(attempt, not_after)
    if state != "committed":
        raise Transient(
            f"expected attempt {attempt.number} committed, found it {state}: the watchdog gave it "
            "up, or it came too late"
        )
    return Held(cut, apart_at)


def lead_to_new(
    attempt: Attempt,
    old: ServerSide,
    pooler: Pooler,
    door: DirectDoor,
    clock: PauseClock,
    at_once: int,
) -> None:
    """Behind the commit point: only forward. Raises Transient when `settle` must go on instead.

    The caller bounds what waits for the old side.
    """
    with clock.phase("consent", until_commit=False):
        state = old.commit_old(attempt)
        if state != "committed":
            raise Transient(f"{attempt.old} was reopened while {attempt.new} committed")
    with clock.phase("route", until_commit=False):
        pooler.route_to(attempt.new, flush=False)
        pooler.narrow(at_once)
    with clock.phase("door", until_commit=False):
        door.route_to(attempt.new)
    with clock.phase("resume", until_commit=False):
        pooler.resume()
    clock.end()


def conclude(
    attempt: Attempt, held: Held, old: ServerSide, new: ServerSide, pooler: Pooler
) -> None:
    """What nobody waits for: the route on disk, one stream ended and the other begun."""
    time.sleep(AFTER_RESUME_S)
    pooler.flush_route()
    with bounded(CONCLUDE_LIMIT_S, old, new):
        new.part(attempt)
        old.begin_return(attempt, held.apart_at)


def _prepare_old(attempt: Attempt, old: ServerSide, clock: PauseClock, watched: Watched) -> None:
    with clock.phase("prepare_old"):
        if watched:
            expect_unchanged(old.session, watched)
        old.prepare_old(attempt)


@contextmanager
def _beside(thread: Executor, work: Callable[[], None]) -> Iterator[None]:
    """Do `work` on the other server while the block waits for this one; both have ended after it.

    Raises what the block raised, else what the work raised.
    """
    done = thread.submit(work)
    try:
        yield
    finally:
        wait([done])  # in time: the caller cuts the session that it waits for
    done.result()

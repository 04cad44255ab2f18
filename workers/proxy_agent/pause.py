"""The pause itself: from PAUSE to the commit point under one deadline, and from there to RESUME.

Order and invariants: docs/cutover.md. Whatever is raised before the commit point leaves an attempt
that `settle` takes back; behind it, one that `settle` takes forward.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.domain.errors import Transient
from shared.ports import DirectDoor, Pooler
from workers.proxy_agent.attempt import Attempt
from workers.proxy_agent.pause_clock import PauseClock
from workers.proxy_agent.preparation import new_token
from workers.proxy_agent.side import ServerSide


@dataclass(frozen=True, slots=True)
class Held:
    """What the pause learned up to the commit point."""

    connections_cut: int
    apart_at: str


def hold_and_commit(
    attempt: Attempt, old: ServerSide, new: ServerSide, pooler: Pooler, clock: PauseClock
) -> Held:
    """Up to the commit point.

    Raises Transient when time is up, a lock is not to be had, or the attempt was burnt meanwhile.
    """
    with _bounded(clock, old, new):
        with clock.phase("pause"):
            pooler.pause(limit_s=clock.left_s())
        with clock.phase("fence"):
            old.fence(attempt)
        with clock.phase("empty"):
            cut, left_over = old.empty(int(clock.left_s() * 1000))
            if left_over:
                raise Transient(f"expected no session of the application, found {left_over} left")
        token = new_token()
        with clock.phase("marker"):
            positions = old.mark(token)
        with clock.phase("catch_up"):
            new.await_marker(token, int(clock.left_s() * 1000))
        with clock.phase("prepare_new"):
            apart_at = new.prepare_new(attempt, positions)
        with clock.phase("prepare_old"):
            old.prepare_old(attempt, apart_at)
        with clock.phase("commit"):
            state = new.commit_new(attempt)
    if state != "committed":
        raise Transient(f"attempt {attempt.number} was given up by the watchdog: it is {state}")
    return Held(cut, apart_at)


def lead_to_new(
    attempt: Attempt,
    held: Held,
    old: ServerSide,
    pooler: Pooler,
    door: DirectDoor,
    clock: PauseClock,
) -> None:
    """Behind the commit point: only forward. Raises Transient when `settle` must go on instead."""
    with clock.phase("consent", until_commit=False):
        state = old.commit_old(attempt, held.apart_at)
        if state != "committed":
            raise Transient(f"{attempt.old} was reopened while {attempt.new} committed")
    with clock.phase("route", until_commit=False):
        pooler.route_to(attempt.new)
    with clock.phase("door", until_commit=False):
        door.route_to(attempt.new)
    with clock.phase("resume", until_commit=False):
        pooler.resume()


@contextmanager
def _bounded(clock: PauseClock, *sides: ServerSide) -> Iterator[None]:
    """A server that does not answer at all cannot hold us beyond the deadline."""

    def cut() -> None:
        for side in sides:
            side.session.cut()

    timer = threading.Timer(clock.left_s(), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

"""The direct door while the sides change: what is open is cut once, what connects then waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from shared.domain.errors import Transient
from tests.support.crossing import LONG_STALL_MS, Doors, crossing
from tests.support.cutover_switch import switch_of
from tests.support.wait import until


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with crossing() as doors:
        yield doors


def test_sessions_of_the_direct_door_are_cut_once_and_counted(doors: Doors) -> None:
    """LISTEN and session locks live there: their clients connect again, and are on the new side."""
    until(lambda: cut_and_counted(doors), limit_s=60, what="a cutover")
    with psycopg.connect(doors.direct.dsn, autocommit=True) as again:
        again.execute("LISTEN news")
        again.execute("NOTIFY news, 'here'")
        heard = list(again.notifies(timeout=5, stop_after=1))
    assert [each.payload for each in heard] == ["here"]
    assert doors.direct.side() == str(doors.serving)


def cut_and_counted(doors: Doors) -> bool:
    """One try: one that gives up has cut them already, and others are there for the next."""
    with (
        psycopg.connect(doors.direct.dsn, autocommit=True) as listener,
        psycopg.connect(doors.direct.dsn, autocommit=True) as locker,
    ):
        listener.execute("LISTEN news")
        locker.execute("SELECT pg_advisory_lock(7)")
        try:
            done = switch_of(doors.world).run(doors.asked(LONG_STALL_MS))
        except Transient:
            return False
        assert done.connections_cut == 2
        for client in (listener, locker):
            with pytest.raises(psycopg.OperationalError):
                client.execute("SELECT 1")
    return True


@pytest.mark.parametrize("gives_up", [False, True], ids=["through", "given up"])
def test_what_connects_to_the_direct_door_in_the_pause_waits_and_is_on_the_right_side(
    doors: Doors, gives_up: bool
) -> None:
    old = doors.serving
    with ThreadPoolExecutor(20) as pool:
        answers: list[Any] = []

        def at(point: str) -> None:
            if point == "after fence":  # one that gives up lets them in on the old side
                answers[:] = [pool.submit(doors.direct.side, limit_s=20) for _ in range(20)]
                time.sleep(0.2)
            if gives_up and point == "before commit":
                raise Transient("the test gives up here")

        while gives_up and not answers:
            with suppress(Transient):
                switch_of(doors.world, at=at).run(doors.asked(LONG_STALL_MS))
        if not gives_up:
            doors.cross(at)
        expected = old if gives_up else old.other
        assert [each.result(30) for each in answers] == [str(expected)] * 20
    assert doors.serving is expected


def test_an_nginx_configuration_that_is_broken_meanwhile_does_not_matter(doors: Doors) -> None:
    """The direct door is led by its link: nothing is reloaded in a cutover."""
    kept = doors.direct.conf.read_text()
    doors.direct.conf.write_text("this { is not nginx")
    try:
        doors.cross()
        assert doors.direct.side() == str(doors.serving)
    finally:
        doors.direct.conf.write_text(kept)

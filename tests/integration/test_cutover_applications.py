"""What applications do while the sides change under them: nobody retries, and nothing fails.

One pair and its doors for the whole file; each test takes traffic to the other side while its
client is at work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from shared.domain.errors import Transient
from tests.support.crossing import LONG_STALL_MS, Doors, at_work, crossing
from tests.support.cutover_switch import switch_of
from tests.support.wait import until


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with crossing() as doors:
        yield doors


def test_a_cursor_inside_its_transaction(doors: Doors) -> None:
    with doors.pooled() as client:

        def read() -> None:
            with client.transaction(), client.cursor("reader") as cursor:
                cursor.execute("SELECT id FROM account ORDER BY id")
                assert sum(len(cursor.fetchmany(20)) for _ in range(5)) == 100

        assert at_work(doors, read)


def test_copy_in_and_out(doors: Doors) -> None:
    before: Any = doors.world.value(doors.serving, "SELECT count(*) FROM batch")
    with doors.pooled() as client:

        def both_ways() -> None:
            with client.cursor().copy("COPY batch (n) FROM STDIN") as copy:
                for n in range(50):
                    copy.write_row((n,))
            with client.cursor().copy("COPY (SELECT id FROM account) TO STDOUT") as copy:
                assert len(list(copy.rows())) == 100

        copies = at_work(doors, both_ways)
    found = doors.world.value(doors.serving, "SELECT count(*) FROM batch")
    assert found == before + 50 * copies


def test_transactions_of_two_hundred_rows(doors: Doors) -> None:
    before: Any = doors.world.value(doors.serving, "SELECT count(*) FROM batch")
    with doors.pooled() as client:

        def write() -> None:
            with client.transaction():
                for n in range(200):
                    client.execute("INSERT INTO batch (n) VALUES (%s)", (n,))

        transactions = at_work(doors, write)
    found = doors.world.value(doors.serving, "SELECT count(*) FROM batch")
    assert found == before + 200 * transactions


def test_a_client_that_was_idle_all_the_while(doors: Doors) -> None:
    with doors.pooled() as client:
        client.execute("SELECT 1")
        doors.cross()
        doors.cross()
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_fifty_logins_inside_the_pause(doors: Doors) -> None:
    with ThreadPoolExecutor(50) as pool:
        logins: list[Any] = []

        def login() -> object:
            with doors.pooled() as client:
                return client.execute("SELECT current_setting('cluster_name')").fetchone()

        def at(point: str) -> None:
            if point == "after fence":  # one that gives up lets them in on the old side
                logins[:] = [pool.submit(login) for _ in range(50)]
                time.sleep(0.2)

        doors.cross(at)
        name = f"bluegreen-{doors.serving}"
        assert [each.result(30) for each in logins] == [(name,)] * 50


def test_a_transaction_that_outlasts_the_limit_is_waited_for_and_not_harmed(doors: Doors) -> None:
    """It begins after the last look before the pause: the cutover gives up and clients go on."""
    old = doors.serving
    with doors.pooled() as slow:
        began: list[str] = []
        said = ""

        def at(point: str) -> None:
            if point == "before pause":
                began.append(point)
                slow.execute("BEGIN")
                slow.execute("UPDATE account SET balance = balance + 1 WHERE id = 9")

        def tried() -> bool:
            nonlocal said
            with pytest.raises(Transient) as gave_up:
                switch_of(doors.world, at=at).run(doors.asked(400))
            said = gave_up.value.message
            return bool(began)

        until(tried, limit_s=40, what="a pause begins")
        assert "gave up in phase `pause`" in said
        assert doors.serving is old
        with doors.pooled() as other:
            other.execute("SELECT 1")
        time.sleep(0.3)
        with pytest.raises(Transient, match="waiting for a transaction of app"):
            switch_of(doors.world).run(doors.asked(400))
        slow.execute("COMMIT")
    doors.cross()


def test_one_that_idles_in_its_transaction_is_ended_where_that_was_asked_for(doors: Doors) -> None:
    with doors.pooled() as idle, doors.pooled() as other:
        idle.execute("BEGIN")
        idle.execute("SELECT 1")
        other.execute("SELECT 1")
        time.sleep(0.4)
        old = doors.serving
        until(lambda: _tried(doors), limit_s=30, what="a cutover past the idle one")
        assert doors.serving is old.other
        other.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")


def _tried(doors: Doors) -> bool:
    with suppress(Transient):
        switch_of(doors.world).run(doors.asked(LONG_STALL_MS, "cancel"))
        return True
    return False

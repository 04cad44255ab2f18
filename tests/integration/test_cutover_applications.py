"""What applications do while the sides change under them: nobody retries, and nothing fails.

One pair and its doors for the whole file; each test takes traffic to the other side while its
client is at work.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import pq

from shared.domain.errors import Transient
from tests.support.crossing import LONG_STALL_MS, Doors, crossing
from tests.support.cutover_switch import switch_of
from tests.support.wait import until


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with crossing() as doors:
        yield doors


def at_work(doors: Doors, work: Callable[[], object]) -> int:
    """Repeat the work before, during and after a change of sides; how often it was done."""
    stop, done = threading.Event(), []

    def repeat() -> None:
        while not stop.is_set():
            work()
            done.append(1)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(repeat)
        try:
            _until_done(running, done, 5)
            doors.cross()
            _until_done(running, done, len(done) + 5)
        finally:
            stop.set()
        running.result()
    return len(done)


def _until_done(running: Any, done: list[int], count: int) -> None:
    until(
        lambda: len(done) >= count or running.done(),
        limit_s=30, what=f"the work done {count} times",
    )  # fmt: skip


def test_statements_that_psycopg_prepares_by_itself(doors: Doors) -> None:
    with doors.pooled() as client:
        client.prepare_threshold = 2
        assert at_work(
            doors,
            lambda: client.execute("SELECT balance FROM account WHERE id = %s", (7,)).fetchone(),
        )


def test_statements_that_asyncpg_keeps(doors: Doors) -> None:
    async def client() -> None:
        connection = await asyncpg.connect(doors.world.application_dsn_as_url)
        try:
            for _ in range(10):
                await connection.fetchval("SELECT balance FROM account WHERE id = $1", 7)
            await asyncio.to_thread(doors.cross)
            for _ in range(10):
                await connection.fetchval("SELECT balance FROM account WHERE id = $1", 7)
        finally:
            await connection.close()

    asyncio.run(client())


def test_statements_with_names_as_jdbc_gives_them(doors: Doors) -> None:
    """Two clients use the same name for different statements, as pgjdbc's S_1 is."""
    with doors.pooled() as one, doors.pooled() as two:
        _done(one.pgconn.prepare(b"S_1", b"SELECT 1::text"))
        _done(two.pgconn.prepare(b"S_1", b"SELECT 2::text"))

        def both() -> None:
            for client, expected in ((one, b"1"), (two, b"2")):
                found = _done(client.pgconn.exec_prepared(b"S_1", []))
                assert found.get_value(0, 0) == expected

        assert at_work(doors, both)


def _done(result: pq.abc.PGresult) -> pq.abc.PGresult:
    assert result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK), (
        result.error_message
    )
    return result


def test_select_star_over_a_row_type_that_changes(doors: Doors) -> None:
    """The statement is prepared; behind the change it answers in the new shape."""
    shapes: set[tuple[str, ...]] = set()
    with doors.pooled() as client:

        def read() -> None:
            cursor = client.execute("SELECT * FROM shape WHERE id = %s", (3,), prepare=True)
            assert cursor.description is not None
            shapes.add(tuple(column.name for column in cursor.description))
            assert len(cursor.fetchall()) == 1

        assert at_work(doors, read)
    assert shapes == {("id", "size"), ("id", "size", "colour")}


def test_asyncpg_says_so_where_a_kept_statement_has_another_row_type(doors: Doors) -> None:
    """It decodes by the row type it asked for once. It raises and reads nothing wrong; a cache of
    size 0, or columns by name, is the remedy that docs/cutover.md gives."""

    async def client(size: int) -> None:
        url = doors.world.application_dsn_as_url
        connection = await asyncpg.connect(url, statement_cache_size=size)
        try:
            await connection.fetch("SELECT * FROM shape WHERE id = $1", 3)
            await asyncio.to_thread(doors.cross)
            await connection.fetch("SELECT * FROM shape WHERE id = $1", 3)
        finally:
            await connection.close(timeout=5)

    asyncio.run(client(0))
    with pytest.raises(asyncpg.InternalClientError, match="different from what was described"):
        asyncio.run(client(100))


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

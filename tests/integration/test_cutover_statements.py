"""Statements that clients keep prepared while the sides change under them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from psycopg import pq

from tests.support.crossing import Doors, at_work, crossing


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with crossing() as doors:
        yield doors


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

"""Tables without a key: equal is what has the same rows equally often, whatever stands in them.

Rows are drawn from few values, so that many are alike and many hold NULLs. What the comparison must
say is counted by Python. A failure names its seed: `SEEDS=7 pytest tests/integration/<this file>`.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from tests.integration.test_compare_rows import compared_in_pieces
from tests.support.cluster import Server
from tests.support.servers import VERSIONS
from tests.support.two_shapes import TwoShapes, two_shapes

SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "").split(",") if seed] or range(1, 21)
SCHEMA = """
CREATE TABLE kept (id int PRIMARY KEY);
CREATE TABLE bag (n int, word text, amount numeric, at timestamptz, more jsonb);
ALTER TABLE bag REPLICA IDENTITY FULL;
CREATE TABLE one (v text);
ALTER TABLE one REPLICA IDENTITY FULL;
"""
FILE = "ALTER TABLE kept ADD COLUMN other int;"
TABLES = {
    "bag": (
        (None, 0, 1, -1),
        (None, "", "NULL", "a", "A", "a ", "ä"),
        (None, "1", "1.0", "1.00", "NaN"),
        (None, "2026-03-29 02:30:00+00", "infinity"),
        (None, "null", "{}", '{"a": null}', "[1.0, 1.00]"),
    ),
    "one": ((None, "", "NULL", "x", "xx"),),
}
"""Each with the values of its columns; equal ones that are not the same (1.0, 1.00) among them."""
ROWS = "SELECT {0}::text FROM {0}"
SOMEWHERE = "ctid = (SELECT ctid FROM {table} ORDER BY md5({table}::text || '{salt}') LIMIT 1)"
"""One of them, by what stands in it: the same in each run of a seed."""


@pytest.fixture(scope="module", params=VERSIONS)
def world(request: pytest.FixtureRequest) -> Iterator[TwoShapes]:
    with two_shapes(request.param, SCHEMA, "", FILE) as made:
        made.fork()
        made.apply()
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_same_rows_equally_often_and_nothing_else_is_equal(world: TwoShapes, seed: int) -> None:
    draw = random.Random(seed)
    with world.source.connect("app", "app") as connection:
        connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        for _ in range(draw.randint(0, 60)):
            write(connection, draw)
    world.caught_up(world.source, world.target)
    assert counted(world, world.source) == counted(world, world.target)
    assert compared_in_pieces(world).confirmed == [], "what apply carried is equal"

    with world.target.connect("app", "bg_replicator") as connection:
        connection.execute("SET session_replication_role = replica")
        for _ in range(draw.randint(0, 3)):
            write(connection, draw)
    here, there = counted(world, world.source), counted(world, world.target)
    confirmed = compared_in_pieces(world).confirmed
    differ = [table for table in TABLES if here[table] != there[table]]
    assert [line.split()[1] for line in confirmed] == differ

    with world.target.connect("app", "bg_replicator") as connection:
        connection.execute("SET session_replication_role = replica")
        for table in TABLES:
            copy(world, table, connection)
    assert compared_in_pieces(world).confirmed == [], "put right, in another order of rows"


def write(connection: psycopg.Connection, draw: random.Random) -> None:
    """One row is born, changed, doubled, moved to another place of the table, or gone."""
    table = draw.choice(list(TABLES))
    values = [draw.choice(column) for column in TABLES[table]]
    marks = ", ".join(["%s"] * len(values))
    where = SOMEWHERE.format(table=table, salt=draw.random())
    what = draw.choice(["insert", "insert", "double", "update", "move", "delete"])
    if what == "insert":
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    elif what == "double":
        connection.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE {where}")
    elif what == "update":
        names = "n, word, amount, at, more" if table == "bag" else "v"
        connection.execute(f"UPDATE {table} SET ({names}) = ROW({marks}) WHERE {where}", values)
    elif what == "move":
        connection.execute(
            f"WITH taken AS (DELETE FROM {table} WHERE {where} RETURNING *)"
            f" INSERT INTO {table} TABLE taken"
        )
    else:
        connection.execute(f"DELETE FROM {table} WHERE {where}")


def counted(world: TwoShapes, server: Server) -> dict[str, Counter[str]]:
    return {
        table: Counter(text for (text,) in world.rows_of(server, ROWS.format(table)))
        for table in TABLES
    }


def copy(world: TwoShapes, table: str, target: psycopg.Connection) -> None:
    """The target's rows are the source's, from the last to the first."""
    rows = world.rows_of(world.source, ROWS.format(table))
    target.execute(f"DELETE FROM {table}")
    for (text,) in reversed(rows):
        target.execute(f"INSERT INTO {table} SELECT (%s::{table}).*", (text,))

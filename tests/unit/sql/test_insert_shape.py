"""INSERT and UPDATE that the server refuses as it reads them, and what a row that is put into a
partition by name holds: found next to the seventeenth unseen set, measured on real servers."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a text, b int, tags text[], CONSTRAINT one UNIQUE (a, b));
CREATE UNIQUE INDEX low ON t (lower(a));
CREATE UNIQUE INDEX some ON t (b) WHERE a IS NOT NULL;
CREATE VIEW v AS SELECT id, a FROM t;
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE TABLE p (k int, n int) PARTITION BY LIST (k);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1) PARTITION BY RANGE (n);
CREATE TABLE p_1_a PARTITION OF p_1 FOR VALUES FROM (1) TO (9);
"""


def report(sql: str):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (id, a) VALUES (1)",
        "INSERT INTO t (id, a) VALUES (1, 'a', 2)",
        "INSERT INTO t (id, a) VALUES (1, 'a'), (2)",
        "INSERT INTO t VALUES (1, 'a', 2, '{}', 5)",
        "INSERT INTO t (id, a) SELECT id FROM v",
        "INSERT INTO t (id, id) VALUES (1, 2)",
        "UPDATE t SET a = 'x', a = 'y' WHERE id = 1",
        "UPDATE t SET (a, a) = ('x', 'y') WHERE id = 1",
        "INSERT INTO m VALUES (1, 'a')",
        "UPDATE m SET a = 'x' WHERE id = 1",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT DO UPDATE SET a = 'x'",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET nope = 'x'",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (id, a) DO NOTHING",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (tags) DO NOTHING",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT ON CONSTRAINT nope DO NOTHING",
    ],
)
def test_what_the_server_refuses(sql: str) -> None:
    assert report(sql + ";").errors != ()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1), (2)",
        "INSERT INTO t (id, a) VALUES (1, DEFAULT), (2, 'b')",
        "INSERT INTO t (id, a) SELECT * FROM v",
        "INSERT INTO t (id, a) SELECT v.* FROM v",
        "INSERT INTO t (id, a) SELECT id, a FROM v",
        "INSERT INTO t SELECT 1, 'a'",
        "INSERT INTO t (id, a) SELECT 1, 'a' UNION ALL SELECT 2, 'b'",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO v VALUES (1, 'a')",
        "UPDATE t SET tags[1] = 'x', tags[2] = 'y', a = 'z' WHERE id = 1",
        "UPDATE t SET (a, b) = (SELECT 'x', 2) WHERE id = 1",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (b, a) DO UPDATE SET a = excluded.a",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (lower(a)) DO NOTHING",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (b) WHERE a IS NOT NULL DO NOTHING",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT ON CONSTRAINT one DO NOTHING",
        "INSERT INTO v (id) VALUES (1) ON CONFLICT (id) DO NOTHING",
    ],
)
def test_what_the_server_takes(sql: str) -> None:
    assert report(sql + ";").errors == ()


def test_a_row_for_a_partition_is_held_against_the_bounds_above_it() -> None:
    put = report("INSERT INTO p_1_a VALUES (1, 2);")
    assert said_locks(put) == {"p": "AccessShare", "p_1": "AccessShare", "p_1_a": "RowExclusive"}
    assert said_locks(report("DELETE FROM p_1_a WHERE n = 2;")) == {"p_1_a": "RowExclusive"}

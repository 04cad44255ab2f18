"""What files of the thirteenth unseen set found wrong, and the statements next to them: which
partitions and heirs a query reads, whose rows FOR UPDATE locks, who waits for a materialized view;
each measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, n int, k int);
CREATE TABLE par (id int);
CREATE TABLE child () INHERITS (par);
CREATE TABLE l (k int, v int) PARTITION BY LIST (k);
CREATE TABLE l_1 PARTITION OF l FOR VALUES IN (1);
CREATE TABLE l_2 PARTITION OF l FOR VALUES IN (2);
CREATE TABLE l_rest PARTITION OF l DEFAULT;
CREATE VIEW vt AS SELECT id, n FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id, n FROM t;
CREATE UNIQUE INDEX mv_id ON mv (id);
"""
ALL = {"l", "l_1", "l_2", "l_rest"}


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


def locks(sql):
    return said_locks(report(sql))


def read(sql):
    """The parts of `l` that a statement locks."""
    return locks(sql).keys() & ALL


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM ONLY par",
        "CREATE TABLE x AS SELECT * FROM ONLY par",
        "CREATE MATERIALIZED VIEW x AS SELECT * FROM ONLY par",
        "INSERT INTO t SELECT id FROM ONLY par",
    ],
)
def test_only_leaves_the_heirs_alone_wherever_a_query_stands(statement):
    assert "child" not in locks(statement)
    assert "child" in locks(statement.replace("ONLY ", ""))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM l WHERE k = 1",
        "CREATE TABLE x AS SELECT * FROM l q WHERE q.k = 1 AND v > 2",
        "INSERT INTO t SELECT v FROM l WHERE k = 1",
        "UPDATE t SET n = v FROM l WHERE l.k = 1 AND l.v = t.id",
        "DELETE FROM t USING l WHERE l.k = 1 AND l.v = t.id",
        "SELECT 1 FROM t WHERE id IN (SELECT v FROM l WHERE k = 1) AND k = 2",
        "WITH x AS (SELECT * FROM l WHERE k = 1) SELECT * FROM x, t",
        "SELECT 1 FROM t JOIN l ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM t LEFT JOIN l ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM l RIGHT JOIN t ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM l FULL JOIN t ON l.v = t.id WHERE l.k = 1",
        "MERGE INTO t USING (SELECT * FROM l WHERE k = 1) s ON s.v = t.id "
        "WHEN MATCHED THEN UPDATE SET n = s.v",
    ],
)
def test_constants_rule_partitions_out_for_who_reads(statement):
    assert read(statement) == {"l", "l_1"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM l RIGHT JOIN t ON true WHERE t.k = 1",
        "SELECT 1 FROM l LEFT JOIN t ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM t RIGHT JOIN l ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM l FULL JOIN t ON l.v = t.id AND l.k = 1",
        "SELECT 1 FROM l JOIN t ON false",
        "SELECT 1 FROM l, t WHERE l.k = 1 AND false",
        "DELETE FROM t USING l WHERE l.k = 1 AND l.v = t.id AND 1 = 2",
        "DELETE FROM l USING t WHERE l.k = 1 AND l.v = t.id AND 1 = 2",
        "SELECT 1 FROM l WHERE k = 1 OR v = 2",
        "SELECT 1 FROM l a, l b WHERE a.k = 1 AND b.v = a.v",
    ],
)
def test_conditions_that_are_not_about_every_row_rule_none_out(statement):
    assert read(statement) == ALL


def test_what_is_never_true_leaves_no_partition_of_the_one_source():
    assert read("SELECT 1 FROM l WHERE k = 1 AND false") == {"l"}
    assert read("UPDATE l SET v = 0 WHERE NOT true") == {"l"}
    assert read("UPDATE l SET v = 0 WHERE v = 1 OR true") == ALL


def test_either_of_two_constants_leaves_two_partitions():
    assert read("UPDATE l SET v = 0 WHERE k = 1 OR k IN (1, 2)") == {"l", "l_1", "l_2"}
    assert read("SELECT 1 FROM l WHERE (k = 2 OR k = 2) AND v > 1") == {"l", "l_2"}


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT 1 FROM l q JOIN t ON t.id = q.v WHERE q.k = 1 FOR UPDATE OF t", {"t"}),
        ("SELECT 1 FROM l JOIN t ON t.id = v WHERE l.k = 1 FOR SHARE OF l", {"l", "l_1"}),
        ("SELECT 1 FROM par FOR UPDATE", {"par", "child"}),
        ("SELECT 1 FROM vt FOR UPDATE", {"vt", "t"}),
        ("SELECT 1 FROM (SELECT * FROM t) q, par FOR UPDATE OF q", {"t"}),
        ("SELECT 1 FROM (SELECT * FROM l WHERE k = 2) q FOR UPDATE", {"l", "l_2"}),
        ("SELECT 1 FROM t WHERE id IN (SELECT v FROM l) FOR UPDATE", {"t"}),
        ("WITH t AS (SELECT 1 AS id) SELECT 1 FROM t, par FOR UPDATE OF par", {"par", "child"}),
        ("WITH t AS (SELECT 1 AS id) SELECT 1 FROM t, par FOR UPDATE", {"par", "child"}),
    ],
)
def test_for_update_locks_rows_of_what_it_names(statement, rows):
    assert {name for name, mode in locks(statement).items() if mode == "RowShare"} == rows


@pytest.mark.parametrize(
    "first",
    [
        "DROP MATERIALIZED VIEW mv",
        "ALTER MATERIALIZED VIEW mv RENAME TO mw",
        "DROP INDEX mv_id",
        "REFRESH MATERIALIZED VIEW mv",
    ],
)
def test_nobody_writes_the_materialized_view_that_a_block_holds(first):
    found = report(f"BEGIN; {first}; CREATE INDEX ON t (n); COMMIT;")
    assert "mv" in found.blocks_reads_of
    assert found.blocks_writes_of == ("t",)


@pytest.mark.parametrize("form", ["BEGIN; {}; COMMIT;", "DO $$ BEGIN {}; END $$"])
def test_a_view_is_written_through(form):
    found = report(form.format("DROP VIEW vt; ALTER TABLE t ALTER n TYPE bigint"))
    assert found.blocks_writes_of == ("t", "vt")


def test_conditions_are_weighed_together():
    assert not report("DELETE FROM t WHERE id = n AND 1 = 2").destructive
    assert not report("UPDATE t SET n = 0 WHERE NOT true OR false").rewrites_tables
    assert report("DELETE FROM t WHERE id = n AND 1 = 1").destructive


def test_what_a_kept_query_deletes_and_locks_is_seen():
    gone = "WITH g AS (DELETE FROM t WHERE id = 3 RETURNING *) SELECT * FROM g"
    assert report(f"CREATE TABLE x AS {gone}").destructive
    assert locks(f"CREATE TABLE x AS {gone}") == {"t": "RowExclusive"}
    assert locks("CREATE TABLE x AS SELECT 1 FROM t FOR UPDATE") == {"t": "RowShare"}


@pytest.mark.parametrize(
    ("type_", "bounds", "value"),
    [
        ("numeric", ("1", "10"), "'NaN'"),
        ("numeric", ("1", "'NaN'"), "5"),
        ("numeric", ("1", "10"), "'1e999999999'"),
        ("numeric", ("1", "10"), "'sNaN'"),
        ("int", ("1", "10"), "'²'"),
        ("date", ("'2025-01-01'", "'2026-01-01'"), "'infinity'"),
        ("timestamp", ("'2025-01-01'", "'2026-01-01'"), "true"),
        ("timestamptz", ("'2025-01-01'", "'2026-01-01'"), "5"),
        ("timestamptz", ("'2025-01-01'", "'2026-01-01'"), "'0001-01-01 00:00+14'"),
        ("timestamptz", ("'2025-01-01'", "'2026-01-01'"), "'9999-12-31 23:59-14'"),
    ],
)
@pytest.mark.parametrize("operator", ["=", "<", ">="])
def test_a_value_that_is_not_understood_rules_no_partition_out(type_, bounds, value, operator):
    schema = (
        f"CREATE TABLE r (k {type_}) PARTITION BY RANGE (k);"
        f"CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]});"
        "CREATE TABLE r_rest PARTITION OF r DEFAULT;"
    )
    catalog = build(schema, version=18)[0]
    found = validate(f"DELETE FROM r WHERE k {operator} {value};", file="m.sql", catalog=catalog)
    assert found.locks.keys() >= {"r", "r_1", "r_rest"}

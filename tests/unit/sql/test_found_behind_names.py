"""Found by the fourteenth unseen set: what runs behind a view or a DEFAULT; values of a key."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.report import Report
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, n int);
CREATE TABLE counter (name text PRIMARY KEY, value bigint);
CREATE FUNCTION widen() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN ALTER TABLE public.t ALTER n TYPE bigint; RETURN 1; END $$;
CREATE FUNCTION next_no() RETURNS bigint LANGUAGE plpgsql AS
  $$ BEGIN UPDATE counter SET value = value + 1 WHERE name = 'no'; RETURN 1; END $$;
CREATE FUNCTION outside() RETURNS int LANGUAGE c AS 'lib', 'outside';
CREATE TABLE d (id int, w int DEFAULT widen(), no bigint DEFAULT next_no());
CREATE TABLE o (id int, x int DEFAULT outside());
CREATE VIEW v AS SELECT id, widen() AS w FROM counter, d;
CREATE VIEW over AS SELECT id FROM v;
CREATE MATERIALIZED VIEW m AS SELECT widen() AS w WITH NO DATA;
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
CREATE TABLE p (id int, c cents) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
"""
CATALOG = build(SCHEMA, version=18)[0]


def report(sql: str) -> Report:
    return validate(sql, file="m.sql", server_version=18, catalog=CATALOG)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM v",
        "SELECT * FROM over",
        "CREATE TABLE x AS SELECT * FROM v",
        "INSERT INTO counter SELECT id::text, 1 FROM v",
        "REFRESH MATERIALIZED VIEW m",
        "INSERT INTO d (id) VALUES (1)",
        "INSERT INTO d VALUES (1)",
        "INSERT INTO d SELECT 1",
        "INSERT INTO d DEFAULT VALUES",
        "INSERT INTO d VALUES (1, DEFAULT, 1)",
        "INSERT INTO d (id, w) VALUES (1, 2), (1, DEFAULT)",
        "UPDATE d SET w = DEFAULT WHERE id = 1",
        "ALTER TABLE o ADD COLUMN w int DEFAULT widen()",
    ],
)
def test_what_a_view_or_a_default_calls_is_followed(sql):
    assert "t" in report(sql).rewrites_tables


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW x AS SELECT * FROM v",
        "CREATE TABLE x AS SELECT * FROM v WITH NO DATA",
        "EXPLAIN SELECT * FROM v",
        "REFRESH MATERIALIZED VIEW m WITH NO DATA",
        "INSERT INTO d (id, w) VALUES (1, 2)",
        "INSERT INTO d VALUES (1, 2)",
        "INSERT INTO d SELECT 1, 2",
        "INSERT INTO d SELECT * FROM d",
        "UPDATE d SET id = DEFAULT WHERE id = 1",
        "ALTER TABLE o ALTER COLUMN x SET DEFAULT widen()",
    ],
)
def test_what_is_not_run_is_not_followed(sql):
    assert "t" not in report(sql).rewrites_tables
    assert report(sql).is_valid


def test_a_default_that_writes_locks_what_it_writes():
    found = report("INSERT INTO d (id, w) VALUES (1, 1)")
    assert found.locks == {"d": "RowExclusiveLock", "counter": "RowExclusiveLock"}


def test_a_default_in_another_language_is_said_not_to_be_seen_and_costs_nothing():
    found = report("INSERT INTO o (id) VALUES (1)")
    assert found.migration_type == "safe"
    assert any("outside()" in each for each in found.not_seen)


def test_a_domain_that_is_checked_holds_only_tables_that_have_rows_of_their_own():
    assert report("ALTER DOMAIN cents SET NOT NULL").locks == {"p1": "ShareLock"}


def attached(type_: str, key: str, check: str, bound: str, *, null: str = "NOT NULL") -> Report:
    schema = (
        f"CREATE TABLE p (k {type_}) PARTITION BY {key} (k);"
        f"CREATE TABLE c (k {type_} {null}, CHECK ({check}));"
    )
    sql = f"ALTER TABLE p ATTACH PARTITION c FOR VALUES {bound}"
    return validate(sql, file="m.sql", server_version=18, catalog=build(schema, version=18)[0])


A_YEAR = "FROM ('2026-01-01') TO ('2027-01-01')"


@pytest.mark.parametrize(
    ("type_", "key", "check", "bound"),
    [
        ("text", "RANGE", "k >= '2026' AND k < '2027-01-01'", A_YEAR),
        ("text", "LIST", "k = '2026-01-01 00:00:00'", "IN ('2026-01-01')"),
        ("int", "RANGE", "k IN (1, 100)", "FROM (50) TO (200)"),
        ("int", "LIST", "k IS DISTINCT FROM 5", "IN (5)"),
        ("date", "RANGE", "k >= '2026-01-01'::text::date AND k < '2027-01-01'", A_YEAR),
    ],
)
def test_what_does_not_prove_a_bound_is_read_through(type_, key, check, bound):
    assert attached(type_, key, check, bound).blocks_writes_of == ("c",)


@pytest.mark.parametrize(
    ("type_", "key", "check", "bound"),
    [
        ("text", "RANGE", "k >= '2026-01-01' AND k < '2027-01-01'", A_YEAR),
        ("text", "RANGE", "k >= '2026-02-01' AND k < '2026-03-01'", A_YEAR),
        ("date", "RANGE", "k >= '2026-01-01' AND k < '2027-01-01'::date", A_YEAR),
        ("date", "RANGE", "k BETWEEN '2026-01-01' AND '2026-12-31'", A_YEAR),
        ("timestamp", "RANGE", "k >= '2026-01-01' AND '2027-01-01 00:00:00' > k", A_YEAR),
        ("int", "RANGE", "k IN (60, 100)", "FROM ('50') TO (200)"),
        ("varchar(9)", "LIST", "(k)::text = ANY ((ARRAY['a'::character varying])::text[])",
         "IN ('a', 'b')"),
        ("uuid", "LIST", "k = '0A000000-0000-0000-0000-000000000000'",
         "IN ('0a000000-0000-0000-0000-000000000000')"),
    ],
)  # fmt: skip
def test_what_proves_a_bound_spares_the_scan(type_, key, check, bound):
    assert attached(type_, key, check, bound).blocks_writes_of == ()


@pytest.mark.parametrize(
    ("type_", "key", "one", "other", "meets"),
    [
        ("text", "LIST", "IN ('2026-01-01')", "IN ('2026-01-01 00:00')", False),
        ("date", "LIST", "IN ('2026-01-01')", "IN ('2026-01-01 00:00')", True),
        ("int", "LIST", "IN (1)", "IN ('1')", True),
        ("int", "LIST", "IN (1, NULL)", "IN (2, NULL)", True),
        ("text", "RANGE", "FROM ('a') TO ('h')", "FROM ('H') TO ('p')", False),
        ("int", "RANGE", "FROM (1) TO (9)", "FROM (5) TO (12)", True),
        ("int", "RANGE", "FROM (MINVALUE) TO (9)", "FROM (9) TO (MAXVALUE)", False),
    ],
)
def test_partitions_overlap_by_the_values_of_the_key(type_, key, one, other, meets):
    sql = (
        f"CREATE TABLE p (k {type_}) PARTITION BY {key} (k);"
        f"CREATE TABLE a PARTITION OF p FOR VALUES {one};"
        f"CREATE TABLE b PARTITION OF p FOR VALUES {other};"
    )
    found = validate(sql, file="m.sql", server_version=18, catalog=build("", version=18)[0])
    assert [e.message for e in found.errors] == [
        'partition "b" would overlap partition "a"'
    ] * meets

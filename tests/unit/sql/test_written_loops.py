"""Loops of a body over rows that are written out: EXECUTE is read for each turn."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE a (id int, n int); CREATE TABLE b (id int, n int);
CREATE TABLE hits (at date) PARTITION BY RANGE (at);
"""


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


def locked(declared, loop, text):
    body = f"BEGIN {loop} LOOP EXECUTE {text}; END LOOP; END"
    return set(report(f"DO $$ DECLARE {declared}; {body} $$").locks)


@pytest.mark.parametrize(
    ("declared", "loop", "name"),
    [
        ("t text", "FOR t IN VALUES ('a'), ('b')", "t"),
        ("r record", "FOR r IN SELECT unnest(ARRAY['a', 'b']) AS t", "r.t"),
        ("r record", "FOR r IN SELECT unnest(ARRAY['a', 'b'])", "r.unnest"),
        ("r record", "FOR r IN SELECT t FROM unnest(ARRAY['a', 'b']) AS t", "r.t"),
        ("r record", "FOR r IN SELECT * FROM unnest('{a,b}'::text[]) AS u (t)", "r.t"),
        ("r record", "FOR r IN SELECT v.x AS t FROM (VALUES ('a'), ('b')) AS v (x)", "r.t"),
        ("r record", "FOR r IN SELECT column1 AS t FROM (VALUES ('a'), ('b')) v ORDER BY 1", "r.t"),
        ("r record", "FOR r IN SELECT quote_ident(x) AS t FROM unnest(ARRAY['a', 'b']) x", "r.t"),
        ("t text; n int", "FOR t, n IN SELECT * FROM (VALUES ('a', 1), ('b', 2)) v", "t"),
    ],
)
def test_each_turn_is_followed(declared, loop, name):
    assert locked(declared, loop, f"'TRUNCATE ' || {name}") == {"a", "b"}


@pytest.mark.parametrize(
    "loop",
    [
        "FOR r IN SELECT relname AS t FROM pg_class",
        "FOR r IN SELECT x AS t FROM unnest(names()) x",
        "FOR r IN SELECT t FROM unnest(ARRAY['a']) WITH ORDINALITY AS u (t, n)",
    ],
)
def test_what_a_query_finds_is_not_made_up(loop):
    assert locked("r record", loop, "'TRUNCATE ' || r.t") == {"bluegreen_unknown"}


def test_the_values_of_one_turn_stay_together():
    rows = "(VALUES ('a', 'n'), ('b', 'id')) AS v (t, c)"
    text = "format('ALTER TABLE %I ALTER COLUMN %I TYPE bigint', r.t, r.c)"
    body = f"FOR r IN SELECT * FROM {rows} LOOP EXECUTE {text}; END LOOP;"
    found = report(
        f"DO $$ DECLARE r record; BEGIN {body} END $$; "
        "ALTER TABLE a ALTER n TYPE int8, ALTER id TYPE int8"
    )
    assert found.operations[1].rewrites_table is False
    assert found.operations[2].rewrites_table is True


def test_a_branch_that_asks_first_may_name_what_is_not_there():
    loop = "FOR t IN SELECT x FROM unnest(ARRAY['a', 'no']) x WHERE to_regclass(x) IS NOT NULL"
    found = report(
        f"DO $$ DECLARE t text; BEGIN {loop} LOOP EXECUTE 'TRUNCATE ' || t; END LOOP; END $$"
    )
    assert (found.errors, set(found.locks)) == ((), {"a"})


@pytest.mark.parametrize(
    ("counts", "made"),
    [
        ("2027..2028", {2027, 2028}),
        ("REVERSE 2028..2027", {2027, 2028}),
        ("2026..2028 BY 2", {2026, 2028}),
        ("2028..2027", set()),
        ("2027..2027 + n", set()),
        ("1..100000", set()),
    ],
)
def test_a_loop_that_counts_makes_partitions_by_name(counts, made):
    text = (
        "format('CREATE TABLE hits_%s PARTITION OF hits FOR VALUES FROM (%L) TO (%L)', "
        "y, y || '-01-01', (y + 1) || '-01-01')"
    )
    loop = f"DO $$ DECLARE n int; BEGIN FOR y IN {counts} LOOP EXECUTE {text}; END LOOP; END $$;"
    for year in range(2025, 2030):
        found = report(f"{loop} COMMENT ON TABLE hits_{year} IS 'made'")
        assert (not found.errors) is (year in made), (year, found.errors)


def test_a_forbidden_statement_in_a_turn_is_refused():
    loop = "FOR r IN SELECT * FROM (VALUES ('lock_timeout', '1s'), ('role', 'x')) AS v (n, v)"
    text = "format('SET %I = %L', r.n, r.v)"
    found = report(f"DO $$ DECLARE r record; BEGIN {loop} LOOP EXECUTE {text}; END LOOP; END $$")
    assert [error.kind for error in found.errors] == ["forbidden"]


@pytest.mark.parametrize(("rows", "followed"), [(1000, True), (1001, False)])
def test_a_longer_list_is_said_to_be_unknown(rows, followed):
    for written in (
        "VALUES " + ", ".join(["('a')"] * rows),
        f"SELECT unnest(ARRAY[{', '.join(['$$a$$'] * rows)}])",
        f"SELECT unnest('{{{','.join('a' * rows)}}}'::text[])",
    ):
        loop = f"FOR t IN {written} LOOP EXECUTE 'TRUNCATE ' || t; END LOOP;"
        found = report(f"DO $do$ DECLARE t text; BEGIN {loop} END $do$")
        assert set(found.locks) == ({"a"} if followed else {"bluegreen_unknown"})
        assert any(each.rule == "unseen-statement" for each in found.warnings)

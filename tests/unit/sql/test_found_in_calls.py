"""What files of the thirteenth unseen set found wrong, and the statements next to them: what a
routine is called with, and queries whose rows are kept; each measured on real servers."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

BODIES = """
CREATE TABLE l (k int, v int) PARTITION BY LIST (k);
CREATE TABLE l_1 PARTITION OF l FOR VALUES IN (1);
CREATE TABLE l_2 PARTITION OF l FOR VALUES IN (2);
CREATE FUNCTION wipe(kind int) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN IF kind > 0 THEN UPDATE l SET v = 0 WHERE k = kind; END IF; END $$;
CREATE PROCEDURE clear(int) LANGUAGE plpgsql AS $$ BEGIN UPDATE l SET v = 0 WHERE k = $1; END $$;
CREATE PROCEDURE moved(kind int) LANGUAGE plpgsql AS
  $$ BEGIN kind := kind + 1; UPDATE l SET v = 0 WHERE k = kind; END $$;
CREATE FUNCTION deep(kind int) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN UPDATE l SET v = 0 WHERE k = kind; PERFORM deep(kind + 1); END $$;
CREATE TABLE o (w int);
CREATE FUNCTION outs(OUT kind int, n int) LANGUAGE plpgsql AS
  $$ BEGIN UPDATE l SET v = 0 WHERE k = kind; END $$;
CREATE FUNCTION looped(kind int) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN FOR i IN 1..9 LOOP UPDATE l SET v = 0 WHERE k = kind; END LOOP; END $$;
"""


def changed(sql):
    found = validate(sql, file="m.sql", catalog=build(BODIES, version=18)[0])
    assert not found.errors
    return "".join(name.removeprefix("l_") for name in sorted(found.locks) if name != "l")


@pytest.mark.parametrize(
    ("statement", "parts"),
    [
        ("SELECT wipe(1)", "1"),
        ("SELECT wipe(kind => 2)", "2"),
        ("SELECT wipe('2')", "2"),
        ("CALL clear(1)", "1"),
        ("SELECT wipe(1); SELECT wipe(2)", "12"),
        ("SELECT wipe(1); " * 5, "1"),
        ("SELECT wipe(1); " * 6, "12"),
        ("SELECT wipe(1) FROM generate_series(1, 9)", "12"),
        ("SELECT wipe(1), generate_series(1, 9)", "12"),
        ("DO $$ BEGIN PERFORM wipe(1); END $$", "12"),
        ("SELECT wipe(1 + 1)", "12"),
        ("CALL moved(1)", "12"),
        ("SELECT deep(1)", "12"),
        ("SELECT outs(1)", "12"),
        ("SELECT looped(1)", "12"),
    ],
)
def test_a_routine_is_planned_for_the_constants_that_it_is_called_with(statement, parts):
    assert changed(statement) == parts


@pytest.mark.parametrize(
    ("declared", "before", "parts"),
    [
        ("c int := 1", "", "1"),
        ("c constant int := '2'", "", "2"),
        ("c int", "c := 2;", "2"),
        ("c int := 1", "c := 2;", "12"),
        ("c int := 1", "EXECUTE 'SELECT 2' INTO c;", "12"),
        ("c int := 1", "GET DIAGNOSTICS c = ROW_COUNT;", "12"),
        ("c int := 1", "DECLARE c int := 2; BEGIN NULL; END;", "12"),
        ("c bigint := 1", "", "12"),
        ("c int := date '2025-01-01' - date '2024-12-31'", "", "12"),
    ],
)
def test_a_variable_that_holds_one_constant_is_one(declared, before, parts):
    body = f"DECLARE {declared}; BEGIN {before} UPDATE l SET v = 0 WHERE k = c; END"
    assert changed(f"DO $$ {body} $$") == parts


def test_the_text_of_execute_does_not_see_the_variables():
    body = "DECLARE w int := 1; BEGIN EXECUTE 'UPDATE l SET v = 0 FROM o WHERE k = w'; END"
    assert changed(f"DO $$ {body} $$") == "12o"


@pytest.mark.parametrize("form", ["CREATE TABLE x AS {}", "CREATE MATERIALIZED VIEW x AS {}"])
def test_a_query_whose_rows_are_kept_runs_like_any_other(form):
    schema = BODIES + (
        "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE FUNCTION widen() RETURNS int LANGUAGE "
        "plpgsql AS $$ BEGIN ALTER TABLE t ALTER n TYPE bigint; RETURN 1; END $$;"
    )
    catalog = build(schema, version=18)[0]
    run = validate(form.format("SELECT widen()"), file="m.sql", catalog=catalog)
    assert run.rewrites_tables == ("t",)
    idle = form.format("SELECT widen()") + " WITH NO DATA"
    assert not validate(idle, file="m.sql", catalog=catalog).rewrites_tables

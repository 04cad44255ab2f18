"""Found by the sixteenth unseen set: what runs although no statement calls it by name."""

from __future__ import annotations

import pytest

from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.report import Report
from shared.sql.validate import validate

SCHEMA = """
CREATE TYPE weight AS (grams int);
CREATE TYPE tag AS (word text);
CREATE COLLATION plain (provider = libc, locale = 'C');
CREATE TABLE log (id bigint PRIMARY KEY, what text);
CREATE TABLE note (id int PRIMARY KEY, body text, marks int, sorted text COLLATE plain);
CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN 1; END $$;
CREATE FUNCTION wipe(int) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN PERFORM wipe(); RETURN true; END $$;
CREATE FUNCTION quiet(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM wipe(); RETURN $1; END $$;
CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM log; RETURN $1 + $2; END $$;
CREATE FUNCTION plain_plus(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION to_tag(weight) RETURNS tag LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM log; RETURN row('x')::tag; END $$;
CREATE FUNCTION words() RETURNS tsvector LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM log; RETURN 'a'::tsvector; END $$;
CREATE FUNCTION gentle(n int DEFAULT wipe()) RETURNS int LANGUAGE sql AS 'SELECT n';
CREATE CAST (weight AS tag) WITH FUNCTION to_tag (weight);
CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = plus);
CREATE OPERATOR +++ (LEFTARG = int, RIGHTARG = int, FUNCTION = plain_plus);
CREATE AGGREGATE total (int) (SFUNC = plus, STYPE = int, INITCOND = '0');
CREATE DOMAIN odd AS int CHECK (wipe(VALUE));
CREATE DOMAIN odder AS odd;
CREATE TABLE checked (id int CHECK (wipe(id)));
CREATE TABLE of_domain (o odder);
CREATE TABLE defaulted (id int, w int DEFAULT wipe());
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM log; END $$;
CREATE PROCEDURE noop(int) LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
"""
CATALOG = build(SCHEMA, version=18)[0]


def report(sql: str) -> Report:
    return validate(sql, file="m.sql", server_version=18, catalog=CATALOG)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 ### 2",
        "SELECT 1 OPERATOR(public.###) 2",
        "SELECT total(marks) FROM note",
        "SELECT total(marks) OVER (ORDER BY id) FROM note",
        "SELECT row(1)::weight::tag",
        "SELECT 1::odd",
        "SELECT 1::odder",
        "SELECT gentle()",
        "SELECT quiet(1)",
        "CALL noop(wipe())",
        "SELECT * FROM ts_stat('SELECT words()')",
        "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery WHERE wipe(1)')",
        "PREPARE p (int) AS SELECT wipe($1); EXECUTE p (1)",
        "PREPARE p (int) AS SELECT $1; EXECUTE p (wipe())",
        "PREPARE p AS SELECT wipe() AS w; CREATE TABLE x AS EXECUTE p",
        "PREPARE p AS DELETE FROM log; EXECUTE p",
        "EXPLAIN (ANALYZE false, ANALYZE) DELETE FROM log",
        "COPY (WITH d AS (DELETE FROM log RETURNING id) SELECT * FROM d) TO STDOUT",
        "INSERT INTO checked VALUES (1)",
        "INSERT INTO of_domain VALUES (1)",
        "ALTER TABLE note ADD CHECK (wipe(id)) NOT VALID; INSERT INTO note VALUES (1)",
        "ALTER TABLE note ADD CONSTRAINT c CHECK (wipe(id)) NOT VALID;"
        " ALTER TABLE note VALIDATE CONSTRAINT c",
        "CREATE INDEX CONCURRENTLY ON note (quiet(marks))",
        "CREATE INDEX ON checked (quiet(id)); ANALYZE checked",
        "CREATE TRIGGER t BEFORE INSERT ON note FOR EACH ROW WHEN (wipe(NEW.id))"
        " EXECUTE FUNCTION trap(); INSERT INTO note VALUES (1)",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl(); CREATE TABLE x ()",
        "ALTER DOMAIN odd VALIDATE CONSTRAINT odd_check",
        "DROP COLLATION plain CASCADE",
        "DO $$ BEGIN RAISE NOTICE '%', wipe(); END $$",
        "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = wipe()::text; END $$",
        "DO $$ BEGIN EXECUTE 'SELECT $1' USING wipe(); END $$",
        "DO $$ DECLARE c CURSOR FOR SELECT wipe(); BEGIN FOR r IN c LOOP NULL; END LOOP; END $$",
        "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'DELETE FROM log RETURNING 1'; END $$",
        "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN"
        " RETURN QUERY EXECUTE 'DELETE FROM log RETURNING 1'; END $$; SELECT f()",
        "DO $$ BEGIN IF 1 ### 2 > 0 THEN NULL; END IF; END $$",
        "DO $$ DECLARE a int[]; BEGIN a[wipe()] := 3; END $$",
        "DO $$ DECLARE x odd; BEGIN x := 3; END $$",
        "CREATE FUNCTION f(x odd) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT f(3)",
        "ALTER FUNCTION plus RENAME TO minus; SELECT 1 ### 2",
        "ALTER AGGREGATE total (int) RENAME TO sum_up; SELECT sum_up(1)",
        "ALTER FUNCTION wipe() RENAME TO tidy; ALTER FUNCTION tidy() RENAME TO neat;"
        " INSERT INTO defaulted (id) VALUES (1)",
        "ALTER DOMAIN odd RENAME TO even; SELECT 1::even",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl();"
        " ALTER FUNCTION on_ddl RENAME TO quietly; CREATE TABLE x ()",
    ],
)
def test_what_runs_without_being_called_is_followed(sql):
    found = report(sql)
    assert not found.errors
    assert found.destructive
    assert found.migration_type is not Kind.SAFE


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 +++ 2",
        "SELECT gentle(1)",
        "SELECT ts_rewrite('a'::tsquery, 'b'::tsquery, 'c'::tsquery)",
        "PREPARE p AS DELETE FROM log; DEALLOCATE p",
        "EXPLAIN (ANALYZE, ANALYZE false) DELETE FROM log",
        "CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION on_ddl(); CREATE TABLE x ()",
        "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION on_ddl(); CREATE TABLE x ()",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl();"
        " ALTER EVENT TRIGGER e DISABLE; CREATE TABLE x ()",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl();"
        " DROP EVENT TRIGGER e; CREATE TABLE x ()",
        "CREATE TABLE x (o odd)",
        "DROP AGGREGATE total (int)",
        "ALTER TABLE note ADD COLUMN o odd[] DEFAULT '{}'",
        "CREATE TRIGGER t BEFORE INSERT ON note FOR EACH ROW WHEN (wipe(NEW.id))"
        " EXECUTE FUNCTION trap(); UPDATE note SET marks = 1 WHERE id = 1",
    ],
)
def test_what_does_not_run_is_not_said(sql):
    found = report(sql)
    assert not found.errors
    assert not found.destructive
    assert not found.rewrites_tables


def test_a_query_that_is_put_together_for_a_function_is_not_known():
    found = report("SELECT * FROM ts_stat('SELECT ' || current_setting('a.b'))")
    assert [each.rule for each in found.warnings] == ["unseen-statement"]


def test_a_prepared_statement_that_nobody_saw_is_not_known():
    assert report("EXECUTE p").migration_type is Kind.MAINTENANCE


def test_a_default_by_a_volatile_operator_is_written_to_every_row():
    assert report("ALTER TABLE note ADD COLUMN n int DEFAULT 1 ### 2").rewrites_tables == ("note",)
    assert not report("ALTER TABLE note ADD COLUMN n int DEFAULT 1 +++ 2").rewrites_tables


def test_calls_that_go_too_deep_are_not_known():
    made = "CREATE FUNCTION f0() RETURNS int LANGUAGE sql AS 'SELECT wipe()';"
    for at in range(1, 8):
        made += f" CREATE FUNCTION f{at}() RETURNS int LANGUAGE sql AS 'SELECT f{at - 1}()';"
    found = report(f"{made} SELECT f7()")
    assert found.migration_type is Kind.RISKY
    assert [each.rule for each in found.warnings] == ["unseen-statement"]


def test_temporary_tables_are_found_first_whatever_the_path():
    schema = build("CREATE SCHEMA s; CREATE TABLE s.t (id int);", version=18)[0]
    made = "CREATE TEMP TABLE t (id int); SET search_path = s;"
    for then, destroys in (("DROP TABLE t", False), ("DROP TABLE t; DROP TABLE t", True)):
        found = validate(f"{made} {then}", file="m.sql", catalog=schema)
        assert not found.errors
        assert found.destructive is destroys
    found = validate("CREATE TEMP TABLE t (id int); SET search_path = s, pg_temp; DROP TABLE t",
                     file="m.sql", catalog=schema)  # fmt: skip
    assert found.destructive


@pytest.mark.parametrize(
    ("sql", "rewrites"),
    [
        ("ALTER MATERIALIZED VIEW v SET ACCESS METHOD heap", False),
        ("ALTER MATERIALIZED VIEW v SET TABLESPACE fast", True),
    ],
)
def test_a_materialized_view_that_stays_where_it_is_is_not_copied(sql, rewrites):
    schema = build("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a", version=18)[0]
    assert bool(validate(sql, file="m.sql", catalog=schema).rewrites_tables) is rewrites


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT lo_unlink(1)", Kind.RISKY),
        ("SELECT lo_unlink(id) FROM note", Kind.RISKY),
        ("ALTER ROLE app NOLOGIN", Kind.RISKY),
        ("ALTER ROLE app CONNECTION LIMIT 0", Kind.RISKY),
        ("ALTER ROLE app PASSWORD 'x'", Kind.RISKY),
        ("ALTER ROLE app CONNECTION LIMIT 50", Kind.SAFE),
        ("ALTER ROLE app LOGIN", Kind.SAFE),
        ("ALTER EXTENSION hstore UPDATE", Kind.RISKY),
        ("BEGIN; ALTER TABLE note ADD COLUMN x int; SELECT pg_sleep(9); COMMIT", Kind.RISKY),
        ("BEGIN; LOCK TABLE note; SELECT pg_advisory_lock(1); COMMIT", Kind.RISKY),
        ("DO $$ BEGIN LOCK TABLE note; PERFORM pg_sleep(9); END $$", Kind.RISKY),
        ("BEGIN; SELECT pg_advisory_xact_lock(1); LOCK TABLE note; COMMIT", Kind.SAFE),
        ("SELECT pg_sleep(9)", Kind.SAFE),
        ("BEGIN; LOCK TABLE note; SELECT pg_sleep(0); COMMIT", Kind.SAFE),
    ],
)
def test_what_the_server_itself_brings_may_lose_or_hold_too(sql, kind):
    assert report(sql).migration_type is kind

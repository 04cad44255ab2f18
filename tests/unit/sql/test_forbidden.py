"""What does not belong into a migration is refused, however wrapped; ordinary files are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.sql import forbidden
from shared.sql.validate import validate

STATEMENTS = Path(__file__).parents[2] / "data" / "statements"
FORBIDDEN = (
    "ALTER SYSTEM SET work_mem = '1GB'",
    "LOAD 'auto_explain'",
    "COPY t FROM PROGRAM 'id'",
    "COPY t TO PROGRAM 'cat > /tmp/x'",
    "COPY t FROM '/etc/passwd'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "SET ROLE postgres",
    "SET LOCAL ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "SET LOCAL session_replication_role TO 'replica'",
    "SELECT set_config('session_replication_role', 'replica', true)",
    "SELECT pg_catalog.set_config('role', 'postgres', false)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_catalog.pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT * FROM dblink('host=x', 'SELECT 1') AS t (a int)",
    "SELECT dblink_exec('host=x', 'DROP TABLE t')",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_drop_replication_slot('x')",
    "SELECT pg_create_logical_replication_slot('x', 'pgoutput')",
    "SELECT pg_logical_emit_message(true, 'bluegreen', 'x')",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
    "DROP SUBSCRIPTION s",
    "CREATE DATABASE other",
    "DROP DATABASE other",
    "CREATE TABLESPACE t LOCATION '/x'",
    "CREATE ROLE boss SUPERUSER",
    "ALTER ROLE app BYPASSRLS",
    "GRANT pg_execute_server_program TO app",
    "UPDATE pg_catalog.pg_class SET relname = 'x'",
    "DELETE FROM pg_proc",
    "DROP SCHEMA bluegreen CASCADE",
    "CREATE TABLE bluegreen.t (a int)",
    "ALTER ROLE bg_validator LOGIN",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'",
    "SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, '')",
    "SET standard_conforming_strings = off",
    "SET event_triggers = off",
)
BY_HAND = (
    "PREPARE TRANSACTION 'x'",
    "COMMIT",
    "ROLLBACK",
    "COPY t FROM stdin",
    "ALTER ROLE app SET session_replication_role = replica",
    "ALTER DATABASE app SET session_replication_role = replica",
    "SELECT U&\"pg\\005fread_file\"('/etc/passwd')",
    "SELECT/**/pg_read_file/* x */('/etc/passwd')",
    "WITH x AS (SELECT pg_read_file('/etc/passwd')) SELECT 1",
    "CREATE VIEW v AS SELECT pg_read_file('/etc/passwd')",
    "CREATE TABLE t (a text DEFAULT pg_read_file('/etc/passwd'))",
    "ALTER TABLE t ADD CHECK (pg_ls_dir('/') IS NOT NULL)",
    "CREATE INDEX i ON t ((pg_read_file(a)))",
    "CREATE RULE r AS ON INSERT TO t DO ALSO SELECT pg_reload_conf()",
    "EXPLAIN ANALYZE SELECT pg_terminate_backend(1)",
    "CREATE POLICY p ON t USING (pg_read_file('/x') = a)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT pg_reload_conf(); END",
    "DO $$ BEGIN EXECUTE 'ALT' || 'ER SYS' || 'TEM SET a = 1'; END $$",
    "DO $$ DECLARE q text := 'LOAD ''x'''; BEGIN EXECUTE q; END $$",
    "DO $$ DECLARE q text; BEGIN q := format('LOAD %L', 'x'); EXECUTE q; END $$",
    "DO $$ BEGIN EXECUTE format('COPY %I FROM PROGRAM %L', 't', 'id'); END $$",
    "DO $$ BEGIN IF false THEN EXECUTE 'LOAD ''x'''; END IF; END $$",
    "DO $$ DECLARE x text := pg_read_file('/etc/passwd'); BEGIN END $$",
    "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
    "DO LANGUAGE plpython3u $$ import os $$",
)


def quoted(sql):
    return "'" + sql.replace("'", "''") + "'"


WRAPPED = {
    "plain": "{sql}",
    "after others": "SELECT 1;\n-- x\n{sql};\nSELECT 2",
    "in a block": "DO $body$ BEGIN {sql}; END $body$",
    "executed": "DO $body$ BEGIN EXECUTE {text}; END $body$",
    "in a function": (
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN {sql}; END $body$"
    ),
    "in SQL": "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ {sql} $body$",
}
CASES = [
    pytest.param(form.format(sql=sql, text=quoted(sql)), id=f"{name}: {sql}")
    for name, form in WRAPPED.items()
    for sql in FORBIDDEN
    if not (name == "in a block" and sql.startswith("SELECT"))
] + [pytest.param(sql, id=sql) for sql in BY_HAND]


@pytest.mark.parametrize("sql", CASES)
def test_what_does_not_belong_into_a_migration_is_refused_with_its_place(sql):
    found = [e for e in validate(sql, file="f").errors if e.kind == "forbidden"]
    assert found
    lines = sql.splitlines()
    assert 1 <= found[0].line <= len(lines)
    assert 1 <= found[0].column <= len(lines[found[0].line - 1]) + 1
    assert found[0].remedy


def test_the_hostile_files_are_many():
    assert len(CASES) > 250


def test_a_place_inside_a_body_is_the_bodys_line():
    sql = "DO $$\nBEGIN\n  PERFORM 1;\n  LOAD 'x';\nEND $$"
    (error,) = [e for e in validate(sql, file="f").errors if e.kind == "forbidden"]
    assert (error.line, error.column) == (4, 3)


ORDINARY = (
    "CREATE ROLE reporting NOLOGIN",
    "ALTER ROLE app SET search_path = app, public",
    "SET search_path = app, public; SET lock_timeout = '2s'; RESET lock_timeout",
    "RESET ROLE",
    "SET standard_conforming_strings = on",
    "SELECT set_config('search_path', '', false)",
    "GRANT app_read TO app_write",
    "CREATE EXTENSION IF NOT EXISTS pgcrypto",
    "SELECT pg_advisory_lock(42); SELECT pg_advisory_unlock(42)",
    "SELECT setval('s', (SELECT max(id) FROM t))",
    "SELECT count(*) FROM pg_class",
    "COMMENT ON TABLE t IS 'COPY FROM PROGRAM; ALTER SYSTEM; DROP DATABASE'",
    "INSERT INTO t VALUES ('ALTER SYSTEM SET a = 1')",
    "CREATE TABLE role (session_authorization text)",
    "DO $$ BEGIN RAISE NOTICE 'LOAD %', 'x'; END $$",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP "
    "EXECUTE format('ALTER TABLE %I ADD COLUMN x int', r.tablename); END LOOP; END $$",
    "BEGIN; ALTER TABLE t ADD a int; COMMIT",
    "BEGIN; SAVEPOINT s; ALTER TABLE t ADD a int; RELEASE s; COMMIT",
    "BEGIN; DELETE FROM t; ROLLBACK",
)


def files():
    for path in sorted(STATEMENTS.glob("*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (line for line in lines if line and not line.startswith("--"))


def test_ordinary_files_are_not_refused():
    every = [*ORDINARY, *files()]
    assert len(every) > 500
    for sql in every:
        found = [e.message for e in validate(sql, file="f").errors if e.kind == "forbidden"]
        assert not found, sql


def test_every_forbidden_name_makes_a_text_suspect():
    names = forbidden._FUNCTIONS | forbidden._RUN_TEXT | set(forbidden._SETTINGS)
    assert len(names) > 60
    for name in (*names, *forbidden._OURS, "bg_x", 'U&"d"', "E'\\x'", "SESSION AUTHORIZATION"):
        assert forbidden.SUSPECT.search(name), name

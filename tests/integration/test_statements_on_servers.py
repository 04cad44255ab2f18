"""What the validator says of some five hundred statements is what real servers do with them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import psycopg
import pytest

from shared.sql.analysis import build
from shared.sql.names import shown
from shared.sql.parse import read
from shared.sql.validate import validate
from tests.support.cluster import postgres
from tests.support.validator_cases import DATA

STATEMENTS = Path(__file__).parent.parent / "data" / "statements"
SCHEMAS = {
    "shop": "CREATE TABLE customers",
    "accounts": "CREATE SCHEMA app;",
    "billing": "CREATE TABLE invoices",
    "publishing": "CREATE SCHEMA cms;",
    "partitions": "CREATE TABLE events (",
}
"""Schema -> how the setup of the measured cases begins that makes it."""
RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_relation_filenode(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND c.relkind IN ('r', 'p', 'v', 'm')
"""
LOCKS = """
SELECT relation, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted AND relation = ANY (%s)
"""
ORDER = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
DATA_ERRORS = ("22", "23")
"""SQLSTATE classes of rows that do not fit: no schema can know."""


@cache
def setup(schema: str) -> str:
    lines = (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    setups = {json.loads(line)["setup"] for line in lines}
    return min((s for s in setups if s.startswith(SCHEMAS[schema])), key=len)


def files(schema: str) -> list[str]:
    lines = (STATEMENTS / f"{schema}.sql").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("--")]


@pytest.fixture(scope="module", params=(15, 16, 18))
def server(request):
    with postgres(request.param, timezone="UTC") as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE app_rw; CREATE ROLE app_ro; CREATE ROLE reporting")
        yield server


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_validator_says_what_the_server_does(server, schema):
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {schema}")
    catalog = build(setup(schema), version=server.version)[0]
    catalog.settings["timezone"] = "UTC"
    wrong = []
    with server.connect(schema) as connection:
        connection.execute(setup(schema))
        for sql in files(schema):
            report = validate(sql, file="f", server_version=server.version, catalog=catalog)
            wrong += compare(report, run(connection, sql), sql)
    assert len(files(schema)) > 50
    assert not wrong, "\n".join(wrong)


def run(connection, sql):
    """(SQLSTATE, locks, rewritten) of a file that is run in one transaction and rolled back."""
    old = {row[0]: row[1:] for row in connection.execute(RELATIONS)}
    state, locks, rewritten = "", {}, set()
    connection.execute("BEGIN")
    try:
        for statement in read(sql).statements:
            if statement.tag != "TransactionStmt":
                connection.execute(statement.text)
        for oid, mode in connection.execute(LOCKS, [list(old)]):
            locks[oid] = max(mode, locks.get(oid, mode), key=ORDER.index)
        for oid, _, _, kind, node in connection.execute(RELATIONS):
            if oid in old and kind in "rm" and node != old[oid][3] and "TRUNCATE" not in sql:
                rewritten.add(oid)
    except psycopg.Error as error:
        state = error.sqlstate or "?"
    connection.execute("ROLLBACK")

    def name(oid):
        return shown(old[oid][0], old[oid][1])

    return state, {name(o): m for o, m in locks.items()}, {name(o) for o in rewritten}


def compare(report, found, sql):
    state, locks, rewritten = found
    errors = [error.message for error in report.errors if error.kind != "forbidden"]
    if bool(state) != bool(errors):
        if not state.startswith(DATA_ERRORS):
            yield f"{sql}\n    server: {state or 'runs'}; validator: {errors or 'valid'}"
    elif not state:
        if locks != report.locks:
            yield f"{sql}\n    server: {locks}; validator: {report.locks}"
        if rewritten != set(report.rewrites_tables):
            yield f"{sql}\n    server rewrites {rewritten}; validator: {report.rewrites_tables}"

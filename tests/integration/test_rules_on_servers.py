"""The lock that a rule declares is the lock that its bad examples take on a real server."""

from __future__ import annotations

import psycopg
import pytest

from shared.sql.locks import Lock
from shared.sql.parse import read
from shared.sql.rules import RULES
from tests.support.cluster import postgres

LOCKS = """
SELECT mode FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted AND relation = ANY (%s)
"""
RELATIONS = """
SELECT array_agg(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
"""
WIRE = {mode.wire: mode for mode in Lock}


@pytest.fixture(scope="module", params=(15, 16, 18))
def connection(request):
    with postgres(request.param) as server, server.connect() as connection:
        yield connection


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=lambda rule: rule.id)
def test_the_declared_lock_is_taken(connection, rule):
    for sql in rule.bad:
        assert taken(connection, rule.given, sql) == rule.lock, sql


def taken(connection: psycopg.Connection, given: str, sql: str) -> Lock | None:
    """Strongest mode on the relations of `given` while `sql` runs; the schema is made anew."""
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    connection.execute(given)
    (relations,) = connection.execute(RELATIONS).fetchone()
    connection.execute("BEGIN")
    try:
        for statement in read(sql).statements:
            if statement.tag != "TransactionStmt":
                connection.execute(statement.text)
        found = connection.execute(LOCKS, [relations]).fetchall()
    finally:
        connection.execute("ROLLBACK")
    return max((WIRE[mode] for (mode,) in found), default=None)

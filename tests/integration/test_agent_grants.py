"""Each agent's role: what its work needs works, and what is another's is refused.

The roles are made by what makes them in both stacks (shared/adapters/embedded/roles.py); logins are
trusted here, for this is about rights. Who may log in at all is pg_hba's, shown in tests/e2e.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from shared.adapters.embedded.roles import create_database, create_roles
from shared.adapters.postgres import PsycopgSession
from shared.adapters.standing.standing import install
from tests.support.cluster import Server, postgres

DATABASE = "app"


@pytest.fixture(scope="module", params=[15, 16, 18])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with postgres(request.param, wal_level="logical") as found:
        with found.connect() as admin:
            create_roles(PsycopgSession(admin), lambda role: f"secret-of-{role}")
            create_database(PsycopgSession(admin))
        with found.connect(DATABASE) as admin:
            install(PsycopgSession(admin), application_role="app", administrator="postgres")
        with found.connect(DATABASE, "app") as app:
            app.execute("CREATE TABLE kept (id bigint PRIMARY KEY, word text)")
            app.execute("INSERT INTO kept VALUES (1, 'one')")
            app.execute("ALTER TABLE kept ENABLE ROW LEVEL SECURITY")
            app.execute("ALTER TABLE kept FORCE ROW LEVEL SECURITY")
        yield found


MAY = [
    ("bg_validator", "SELECT word FROM kept"),
    ("bg_validator", "SELECT query FROM pg_stat_activity"),
    (
        "bg_validator",
        "SELECT 1 / has_function_privilege('bluegreen.write_marker(text)', 'EXECUTE')::int",
    ),
    ("bg_backup", "SELECT word FROM kept"),
    ("bg_backup", "SELECT pg_catalog.pg_export_snapshot()"),
    ("bg_health", "SELECT client_addr FROM pg_stat_replication"),
    ("bg_health", "SELECT bluegreen.is_fenced()"),
    ("bg_health", "SELECT count(*) FROM bluegreen.fenced_role"),
    ("bg_proxy", "SELECT bluegreen.is_fenced()"),
    ("bg_proxy", "SELECT ended FROM bluegreen.terminate()"),
    ("bg_proxy", "SELECT count(*) FROM bluegreen.attempt"),
    ("bg_replicator", "SELECT bluegreen.fence(), bluegreen.lift()"),
    ("bg_pooler", "SELECT usename FROM bluegreen.pooler_auth('app')"),
    ("app", "INSERT INTO bluegreen.probe DEFAULT VALUES"),
]
MAY_NOT = [
    # nobody who only looks writes the application's rows, or takes its doors away
    *(
        (role, statement)
        for role in ("bg_validator", "bg_backup", "bg_health", "bg_proxy", "bg_pooler",
                     "bg_repl_blue", "bg_repl_green")
        for statement in (
            "INSERT INTO kept VALUES (2, 'two')", "UPDATE kept SET word = ''", "DROP TABLE kept",
            "TRUNCATE kept", "CREATE TABLE public.strange (id bigint)",
            "CREATE ROLE strange SUPERUSER", "ALTER ROLE app SUPERUSER", "SET ROLE bg_owner",
            "SET SESSION AUTHORIZATION postgres", "ALTER SYSTEM SET fsync = off",
            "COPY kept TO PROGRAM 'cat'", "SELECT pg_read_file('PG_VERSION')",
            "CREATE PUBLICATION strange FOR ALL TABLES", "ALTER DATABASE app SET fsync = off",
            "DELETE FROM bluegreen.exempt_role",
        )
    ),
    # pg_read_all_data shows verifiers too: validator and backup see them, and nobody else does
    *((role, "SELECT rolpassword FROM pg_authid")
      for role in ("bg_health", "bg_proxy", "bg_pooler", "bg_repl_blue", "bg_repl_green", "app")),
    # the application's data is for those who compare or dump it
    *((role, "SELECT word FROM kept") for role in ("bg_health", "bg_proxy", "bg_pooler",
                                                   "bg_repl_blue", "bg_repl_green")),
    # privileged acts are the agent's whose work they are
    ("bg_validator", "SELECT bluegreen.fence()"),
    ("bg_backup", "SELECT bluegreen.fence()"),
    ("bg_health", "SELECT bluegreen.fence()"),
    ("bg_health", "SELECT ended FROM bluegreen.terminate()"),
    ("bg_backup", "SELECT bluegreen.write_marker('x')"),
    ("bg_proxy", "SELECT usename FROM bluegreen.pooler_auth('app')"),
    ("bg_pooler", "SELECT bluegreen.is_fenced()"),
    ("bg_repl_blue", "SELECT bluegreen.is_fenced()"),
    ("app", "SELECT bluegreen.lift()"),
    ("app", "SELECT usename FROM bluegreen.pooler_auth('app')"),
    ("app", "SELECT count(*) FROM bluegreen.attempt"),
    ("app", "DELETE FROM bluegreen.probe"),
]  # fmt: skip


def test_every_role_does_its_work(server: Server) -> None:
    for role, statement in MAY:
        with server.connect(DATABASE, role) as session:
            session.execute(statement)


def test_no_role_does_the_work_of_another(server: Server) -> None:
    let_through = []
    for role, statement in MAY_NOT:
        with server.connect(DATABASE, role) as session:
            try:
                session.execute(statement)
            except InsufficientPrivilege:
                session.rollback()
            else:
                let_through.append((role, statement))
    assert let_through == []


def test_the_pooler_is_told_only_the_verifiers_of_the_application(server: Server) -> None:
    asked = "SELECT usename FROM bluegreen.pooler_auth(%s)"
    with server.connect(DATABASE, "bg_pooler") as session:
        assert session.execute(asked, ("app",)).fetchall() == [("app",)]
        for role in ("postgres", "bg_replicator", "bg_repl_blue"):
            assert session.execute(asked, (role,)).fetchall() == [], role


def test_only_a_reader_of_the_wal_gets_it(server: Server) -> None:
    for role in ("bg_repl_blue", "bg_repl_green"):
        with psycopg.connect(server.dsn(user=role) + " replication=true", autocommit=True) as wal:
            assert wal.execute("IDENTIFY_SYSTEM").fetchone() is not None
    for role in ("bg_validator", "bg_backup", "bg_health", "bg_proxy", "app"):
        with pytest.raises(psycopg.OperationalError, match=r"walsender|WAL sender"):
            psycopg.connect(server.dsn(user=role) + " replication=true")

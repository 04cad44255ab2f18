"""An existing server with an application's database, prepared as docs/managed-servers.md says."""

from __future__ import annotations

import psycopg

from shared.adapters.postgres import PsycopgSession
from shared.adapters.standing import managed

SECRET = "reached-by-tests-only"


def prepare(dsn: str, *, superuser: bool, rests: bool) -> None:
    """`dsn` is the administrator's, without a database; `app` is made here, role and database."""
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE app LOGIN PASSWORD '{SECRET}'")
        administrator.execute("CREATE DATABASE app OWNER app")
    with psycopg.connect(dsn, dbname="app", autocommit=True) as administrator:
        managed.prepare(
            PsycopgSession(administrator),
            lambda role: SECRET,
            application_role="app",
            administrator="postgres",
            superuser=superuser,
            rests=rests,
        )

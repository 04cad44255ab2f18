"""The schema on a throw-away server: made from a file as psql would, or from a live database."""

from __future__ import annotations

from dataclasses import dataclass

from shared.adapters.dump.pg_dump import running
from shared.adapters.trace.throwaway import ADMINISTRATOR, ThrowAway
from shared.domain.errors import MigrationError, Refused
from shared.domain.identifiers import ident
from shared.domain.objects import AGENT_ROLES, OWNER_ROLE, POOLER_ROLE, REPLICATION_ROLES
from shared.sql.parse import Reading
from shared.sql.principals import roles_named, tablespaces_named

TEMPLATE = "bluegreen_schema"
DATABASE = "app"
"""What a file runs on: a copy of the template, fresh for each file."""
LOAD_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class SchemaRoom:
    """A throw-away server that holds one schema, and gives each file a copy of it."""

    server: ThrowAway

    def build(self, schema_sql: str) -> None:
        """Make the template. Raises Refused when the schema cannot be built on this server."""
        with self.server.session("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
            session.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        program = self.server.binaries.bin_dir / "psql"
        server = self.server.server(TEMPLATE)
        try:
            with running(program, server, options, limit_s=LOAD_LIMIT_S, feed=True) as process:
                try:
                    process.input.write(schema_sql.encode())
                    process.input.close()
                except BrokenPipeError:
                    process.finish()
                    raise
                process.finish()
        except MigrationError as error:
            raise Refused(
                f"the schema cannot be built on PostgreSQL {self.server.version} here: "
                f"{error.message}",
                remedy="give the output of `pg_dump --schema-only`, and extensions that are "
                "installed on this host; or leave --trace out",
            ) from error

    def prepare(self, *readings: Reading) -> None:
        """Make the roles and tablespaces that these files take to exist, and the migrator's own."""
        with self.server.session("postgres") as session:
            known = {row[0] for row in session.rows("SELECT rolname FROM pg_catalog.pg_roles")}
            roles = {name for reading in readings for name in roles_named(reading)}
            roles |= {POOLER_ROLE, *AGENT_ROLES.values(), *REPLICATION_ROLES.values()}
            if OWNER_ROLE not in known:
                session.execute(f"CREATE ROLE {ident(OWNER_ROLE)} SUPERUSER NOLOGIN")
            for name in sorted(roles - known):
                session.execute(f"CREATE ROLE {ident(name)} LOGIN")
            there = {row[0] for row in session.rows("SELECT spcname FROM pg_catalog.pg_tablespace")}
            spaces = {name for reading in readings for name in tablespaces_named(reading)}
            for name in sorted(spaces - there):
                session.execute(f"CREATE TABLESPACE {ident(name)} LOCATION ''")

    def fresh(self, database: str = DATABASE) -> str:
        """A copy of the schema that no file has touched; its name."""
        with self.server.session("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {ident(database)} WITH (FORCE)")
            session.execute(
                f"CREATE DATABASE {ident(database)} TEMPLATE {TEMPLATE} STRATEGY file_copy "
                f"OWNER {ADMINISTRATOR}"
            )
        return database

"""The schema that serves now: its catalog with sizes and traffic, and its definitions as SQL.

The guide's DB_* variables alone are enough; without them the stack knows its active side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from producer.administrator import LIMIT_S, administrator
from producer.configuration import Configuration
from producer.services import service
from producer.store import settings_of
from shared.adapters.dump.pg_dump import OUR_SCHEMAS, Server, program, running
from shared.adapters.embedded.postgres_binaries import find_postgres
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.schema.catalog_reader import read_catalog
from shared.domain.errors import Refused
from shared.sql.catalog import Catalog

DUMP_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class LiveSchema:
    server: Server
    pg_dump: Path | None
    """None: of the programs on this host, in the server's version."""

    @classmethod
    def of(cls, configuration: Configuration) -> LiveSchema:
        """Raises Refused when neither DB_HOST nor a stack says where it is."""
        environment = configuration.environment
        if environment.get("DB_HOST") and environment.get("DB_NAME"):
            return cls(_named(environment), None)
        settings = settings_of(configuration)
        with service("PgBouncer", settings.pooler.host, settings.pooler.port):
            colour = PgBouncer(settings).routed_to()
        who = administrator(settings, colour, environment)
        server = Server(who.host, who.port, who.database, who.user, who.password)
        return cls(server, program("pg_dump", settings, colour))

    def catalog(self) -> tuple[Catalog, int]:
        """What is there, and the server's major version. Raises Transient when it is away."""
        with self._session() as session:
            return read_catalog(session)

    def dump(self) -> str:
        """The definitions as `pg_dump --schema-only` writes them, without what is ours."""
        pg_dump = self.pg_dump or self._own_pg_dump()
        options = ["--schema-only", "--no-publications", "--no-subscriptions", *OUR_SCHEMAS]
        with running(pg_dump, self.server, options, limit_s=DUMP_LIMIT_S) as process:
            text = process.output.read().decode()
            process.finish()
        return text

    def _own_pg_dump(self) -> Path:
        with self._session() as session:
            version = int(session.value("SHOW server_version_num")) // 10_000
        return find_postgres(version).bin_dir / "pg_dump"

    @contextmanager
    def _session(self) -> Iterator[PsycopgSession]:
        with (
            service("PostgreSQL", self.server.host, self.server.port),
            connect(
                host=self.server.host,
                port=self.server.port,
                database=self.server.database,
                user=self.server.user,
                password=self.server.password,
                limit_s=LIMIT_S,
                application_name="bluegreen/producer",
            ) as session,
        ):
            yield session


def _named(environment: Mapping[str, str]) -> Server:
    port = environment.get("DB_PORT") or "5432"
    if not port.isdecimal():
        raise Refused(f"expected a port in DB_PORT, found {port!r}", remedy="such as 5432")
    return Server(
        environment["DB_HOST"],
        int(port),
        environment["DB_NAME"],
        environment.get("DB_USER") or "postgres",
        environment.get("DB_PASSWORD") or "",
    )

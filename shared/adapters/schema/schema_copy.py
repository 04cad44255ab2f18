"""Empty copies of the migrated database's schema, on its own server, under fixed names.

A fixed name is what the next run drops when this one died. They never live past a rehearsal:
the fork would carry them to the other side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shared.adapters.dump.pg_dump import NOT_THE_SERVERS, OUR_SCHEMAS, Server, running
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.schema.catalog_snapshot import QUERIES
from shared.domain.identifiers import ident, literal

SOURCE, PLAIN, LANDED = (f"bluegreen_rehearsal_{what}" for what in ("source", "plain", "landed"))
COPIES = (SOURCE, PLAIN, LANDED)
PROGRAM_LIMIT_S = 120.0
STATEMENT_LIMIT_S = 60.0
_OURS = re.compile(r"^(CREATE|ALTER) EVENT TRIGGER bluegreen_.*?;\n", re.MULTILINE | re.DOTALL)
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Copies:
    """`server` names the migrated database and a superuser; `programs` holds pg_dump and psql."""

    server: Server
    programs: Path

    @contextmanager
    def session(self, database: str) -> Iterator[PsycopgSession]:
        with connect(
            host=self.server.host,
            port=self.server.port,
            database=database,
            user=self.server.user,
            password=self.server.password,
            limit_s=STATEMENT_LIMIT_S,
            application_name="bluegreen/rehearsal",
        ) as session:
            yield session

    def make(self) -> None:
        """Make those that every rehearsal needs, from the migrated database as it is."""
        self.drop()
        with self.session(self.server.database) as session:
            row = session.row(QUERIES["like"])
            assert row is not None, "a database sees itself in pg_database"
        owner, encoding, collate, ctype, provider, locale = row
        schema = self.dump(self.server.database)
        with self.session("postgres") as session:
            session.execute(
                f"CREATE DATABASE {ident(SOURCE)} TEMPLATE template0 OWNER {ident(owner)}"
                f" ENCODING {literal(encoding)} LC_COLLATE {literal(collate)}"
                f" LC_CTYPE {literal(ctype)} {_locale(provider, locale)}"
            )
            self._load(schema)
        self.add(PLAIN)

    def add(self, copy: str) -> None:
        """One more, which nothing was done to, with the settings of the migrated database."""
        with self.session(self.server.database) as session:
            owner = session.value(QUERIES["like"])
            settings = session.rows(QUERIES["database_settings"])
        with self.session("postgres") as session:
            session.execute(
                f"CREATE DATABASE {ident(copy)} TEMPLATE {ident(SOURCE)} OWNER {ident(owner)}"
            )
            for name, value in settings:
                shown = value if name == "search_path" else literal(value)
                session.execute(f"ALTER DATABASE {ident(copy)} SET {ident(name)} = {shown}")

    def drop(self) -> None:
        with self.session("postgres") as session:
            for copy in COPIES:
                session.execute(f"DROP DATABASE IF EXISTS {ident(copy)} WITH (FORCE)")

    def are_gone(self) -> bool:
        with self.session("postgres") as session:
            left = "SELECT count(*) FROM pg_database WHERE datname = ANY (%s)"
            return bool(session.value(left, [list(COPIES)]) == 0)

    def dump(self, database: str) -> str:
        """`pg_dump -s` without what belongs to us."""
        options = ["--schema-only", "--no-publications", "--no-subscriptions", NOT_THE_SERVERS,
                   *OUR_SCHEMAS]  # fmt: skip
        server = replace(self.server, database=database)
        program = self.programs / "pg_dump"
        with running(program, server, options, limit_s=PROGRAM_LIMIT_S) as process:
            text = process.output.read().decode()
            process.finish()
        return _OURS.sub("", text)

    def _load(self, schema: str) -> None:
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        server = replace(self.server, database=SOURCE)
        program = self.programs / "psql"
        with running(program, server, options, limit_s=PROGRAM_LIMIT_S, feed=True) as process:
            try:
                process.input.write(schema.encode())
                process.input.close()
            except BrokenPipeError:
                process.finish()
                raise
            process.finish()


def definitions(schema: str) -> list[str]:
    """The lines of a dump that define something: equal when the schemas are."""
    return [line for line in _NOISE.sub("", schema).splitlines() if line]


def _locale(provider: str, locale: str | None) -> str:
    if provider == "i" and locale:
        return f"LOCALE_PROVIDER icu ICU_LOCALE {literal(locale)}"
    if provider == "b" and locale:
        return f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(locale)}"
    return ""

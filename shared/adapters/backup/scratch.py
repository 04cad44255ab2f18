"""A scratch database in which a rollback point proves that it is one.

It stands on the scratch server, which holds nothing else, and where the settings name none on the
control server.

The migrated pair is never used for it: what is restored there would be replicated, and its load
would be felt. Roles that the text names and that server lacks are made for the time, as
roles nobody can log in with, and known by their comment; everything is dropped at the end. DROP
DATABASE waits for a checkpoint, so the database is set aside under a name that anyone may drop, and
dropped while nobody waits: at once by a thread, else by the next `sweep`.

Definitions are loaded by the administrator. Rows are loaded by a login of the scratch's own that is
no superuser: checks, defaults and index expressions are the application's code, and must not run
with rights over the truth.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from shared.adapters.dump.dump_text import DefinitionsDigest
from shared.adapters.dump.pg_dump import OUR_SCHEMAS, Server, running
from shared.adapters.dump.sealed import BLOCK_BYTES, Keys, Sealed, unseal
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.verifier import verifier
from shared.domain.errors import MigrationError
from shared.domain.identifiers import ident, literal
from shared.domain.rollback_point import Manifest
from shared.settings import Settings

_MARK = "made by bluegreen for the time of a restore"
_AS_REPLICA = "session_replication_role"
_ROLES_ARE_NEEDED = 0x5C7A7C4  # any number, of ours alone: a lock of that server
ASIDE = "bluegreen_aside_"
_ASIDE = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
_MISSING_ROLES = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"""
_SCHEMA_AND_NAME = """
    SELECT n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(%s)"""
_OUR_ROLES = """
    SELECT rolname FROM pg_roles
    WHERE shobj_description(oid, 'pg_authid') = %s"""


def scratch_database(job: str) -> str:
    return f"bluegreen_scratch_{job.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class Scratch:
    """One scratch database, as its two users reach it."""

    administrator: Server
    loader: Server


@contextmanager
def scratch(settings: Settings, point: Manifest) -> Iterator[Scratch]:
    """An empty database like the dumped one, and gone afterwards, whatever happens inside."""
    name, secret = scratch_database(point.job), secrets.token_urlsafe(24)
    drop_scratch(settings, point.job)
    try:
        with _administrator(settings) as session:
            session.execute("SELECT pg_advisory_lock_shared(%s)", [_ROLES_ARE_NEEDED])
            _make(session, point, name, secret)
            administrator = scratch_server(settings, name)
            yield Scratch(administrator, replace(administrator, user=name, password=secret))
    finally:
        if _set_aside(settings, name):
            threading.Thread(target=_sweep_or_leave, args=(settings,), name="sweep").start()
        else:
            drop_scratch(settings, point.job)


def _make(session: PsycopgSession, point: Manifest, name: str, secret: str) -> None:
    made = [role for (role,) in session.rows(_MISSING_ROLES, [list(point.roles)])]
    for role in made:
        _make_role(session, role, "NOLOGIN")
    _make_role(session, name, f"LOGIN BYPASSRLS PASSWORD {literal(verifier(secret))}")
    for role in (*made, "pg_read_all_data", "pg_write_all_data"):
        session.execute(f"GRANT {ident(role)} TO {ident(name)}")
    session.execute(f"GRANT SET ON PARAMETER {_AS_REPLICA} TO {ident(name)}")
    session.execute(create_database(name, point))


def _make_role(session: PsycopgSession, role: str, options: str) -> None:
    session.execute(f"CREATE ROLE {ident(role)} {options}")
    session.execute(f"COMMENT ON ROLE {ident(role)} IS {literal(_MARK)}")


def drop_scratch(settings: Settings, job: str) -> None:
    """Drop the job's scratch database and the roles that no other one needs. Absent is fine."""
    with _administrator(settings) as session:
        session.execute(f"DROP DATABASE IF EXISTS {ident(scratch_database(job))} WITH (FORCE)")
        _drop_roles(session)


def sweep(settings: Settings) -> None:
    """Drop what was set aside, and the roles that no other scratch database needs."""
    with _administrator(settings) as session:
        for (name,) in session.rows(_ASIDE, [ASIDE]):
            session.execute(f"DROP DATABASE IF EXISTS {ident(name)} WITH (FORCE)")
        _drop_roles(session)


def _sweep_or_leave(settings: Settings) -> None:
    """What cannot be dropped now the backup agent drops within a minute."""
    with suppress(MigrationError):
        sweep(settings)


def _set_aside(settings: Settings, name: str) -> bool:
    """Whether it has a name now under which it is nobody's. One that is in use has not."""
    try:
        with _administrator(settings) as session:
            aside = f"{ASIDE}{secrets.token_hex(4)}"
            session.execute(f"ALTER DATABASE {ident(name)} RENAME TO {ident(aside)}")
    except MigrationError:
        return False
    return True


def _drop_roles(session: PsycopgSession) -> None:
    """Unless a scratch database is being made or stands: its roles are among them, and whoever
    is the last drops them all."""
    if not session.value("SELECT pg_try_advisory_lock(%s)", [_ROLES_ARE_NEEDED]):
        return
    for (role,) in session.rows(_OUR_ROLES, [_MARK]):
        with suppress(MigrationError):  # one that another database still needs stays
            session.execute(f"REVOKE SET ON PARAMETER {_AS_REPLICA} FROM {ident(role)}")
            session.execute(f"DROP ROLE {ident(role)}")
    session.execute("SELECT pg_advisory_unlock(%s)", [_ROLES_ARE_NEEDED])


def create_database(name: str, point: Manifest) -> str:
    """CREATE DATABASE with the dumped database's encoding and collation."""
    parts = [
        f"CREATE DATABASE {ident(name)} TEMPLATE template0 ENCODING {literal(point.encoding)}",
        f"LC_COLLATE {literal(point.locale.get('collate', 'C'))}",
        f"LC_CTYPE {literal(point.locale.get('ctype', 'C'))}",
    ]
    provider, locale = point.locale.get("provider", "c"), point.locale.get("locale")
    if provider == "i" and locale:
        parts.append(f"LOCALE_PROVIDER icu ICU_LOCALE {literal(locale)}")
    if provider == "b" and locale:
        parts.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(locale)}")
    return " ".join(parts)


def load(
    psql: Path,
    server: Server,
    path: Path,
    *,
    keys: Keys,
    limit_s: float,
    see: Sequence[Callable[[bytes], None]] = (),
) -> Sealed:
    """Run the SQL of a part; the first error ends it. `see` is shown each stored block.

    Raises what the server complained of, and Broken for a damaged file.

    Rows are loaded as a replica: no trigger fires and no foreign key to a table that is not part
    of the point is asked for.
    """
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with running(psql, server, options, limit_s=limit_s, feed=True) as process:
        try:
            process.input.write(f"SET {_AS_REPLICA} = replica;\n".encode())
            read = unseal(path, process.input, keys=keys, see=see)
            process.input.close()
        except BrokenPipeError:  # psql has ended: it says why
            process.finish()
            raise
        process.finish()
    return read


def rows_in(session: PsycopgSession, tables: Sequence[str]) -> dict[str, int]:
    """Rows of each table, counted; a table that is not there counts as -1."""
    counted: dict[str, int] = {}
    for table in tables:
        found = session.row(_SCHEMA_AND_NAME, [table])
        counted[table] = -1
        if found is not None:
            counting = f"SELECT count(*) FROM ONLY {ident(*found)}"  # noqa: S608 quoted by ident
            counted[table] = int(session.value(counting))
    return counted


def digest_of(pg_dump: Path, server: Server, *, limit_s: float) -> str:
    """The digest of the definitions that stand in that database now."""
    digest = DefinitionsDigest()
    options = ["--schema-only", "--no-subscriptions", *OUR_SCHEMAS]
    with running(pg_dump, server, options, limit_s=limit_s) as process:
        while block := process.output.read(BLOCK_BYTES):
            digest.feed(block)
        process.finish()
    return digest.hexdigest()


def scratch_server(settings: Settings, database: str) -> Server:
    found = settings.scratch or settings.control
    return Server(found.host, found.port, database, found.user, settings.secret(found.user))


@contextmanager
def scratch_session(server: Server) -> Iterator[PsycopgSession]:
    """A session without a statement limit: counting a large table takes its time."""
    with connect(
        host=server.host,
        port=server.port,
        database=server.database,
        user=server.user,
        password=server.password,
        limit_s=0,
        application_name="bluegreen/backup",
    ) as session:
        yield session


@contextmanager
def _administrator(settings: Settings) -> Iterator[PsycopgSession]:
    with scratch_session(scratch_server(settings, "postgres")) as session:
        session.execute("SET lock_timeout = '10s'")
        session.execute("SET statement_timeout = '60s'")
        yield session

"""Ask the server that is to be dumped: facts for the manifest, and what would be left out silently.

Refused here, before a byte is written: row security that hides rows from the backup role, and
large objects, which a dump by table does not carry and a plain role cannot read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from shared.adapters.dump.pg_dump import Server
from shared.adapters.named_queries import named_queries
from shared.adapters.postgres import check_identity, connect
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.domain.kinds import BackupScope
from shared.domain.objects import AGENT_ROLES
from shared.ports import Session
from shared.settings import Settings

_SQL = named_queries(__file__, "dump_source.sql")
ROLE = AGENT_ROLES["backup"]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    server_version: str
    server_version_num: int
    lsn: str
    database_bytes: int
    encoding: str
    locale: dict[str, str]
    roles: tuple[str, ...]


def source_server(settings: Settings, colour: Colour) -> Server:
    """How pg_dump reaches that side."""
    node = settings.nodes[colour]
    return Server(node.host, node.port, settings.database, ROLE, settings.secret(ROLE))


@contextmanager
def source_session(settings: Settings, colour: Colour) -> Iterator[Session]:
    """A session on that side as the backup role; its identity was checked."""
    server = source_server(settings, colour)
    with connect(
        host=server.host,
        port=server.port,
        database=server.database,
        user=server.user,
        password=server.password,
        application_name="bluegreen/backup",
    ) as session:
        check_identity(session, settings.nodes[colour])
        yield session


def read_facts(session: Session) -> SourceFacts:
    found = session.row(_SQL["facts"])
    if found is None:
        raise Broken("expected the server's facts, found no row")
    roles = tuple(name for (name,) in session.rows(_SQL["roles"]))
    version, version_num, lsn, size, encoding, locale = found
    return SourceFacts(version, version_num, lsn, size, encoding, locale, roles)


def tables_to_dump(session: Session, names: Sequence[str]) -> list[str]:
    """Those of `names` that exist, with partitions, children and owned sequences; quoted."""
    return [name for (name,) in session.rows(_SQL["tables"], [list(names)])]


def bytes_of(session: Session, tables: Sequence[str]) -> int:
    return int(session.value(_SQL["bytes"], [list(tables)]) or 0)


def refuse_silent_loss(session: Session, scope: BackupScope, tables: Sequence[str] | None) -> None:
    """Raise Refused when a dump of `tables` (None: all) would lack rows. A schema lacks none."""
    if scope not in ("affected", "full"):
        return
    names = None if tables is None else list(tables)
    guarded = [name for (name,) in session.rows(_SQL["guarded"], [names, names])]
    if guarded:
        raise Refused(
            f"row security hides rows of {', '.join(guarded)} from {ROLE}: the rollback point "
            "would lack them",
            remedy=f"ALTER ROLE {ROLE} BYPASSRLS",
        )
    large_objects = int(session.value(_SQL["large_objects"]) or 0)
    if large_objects:
        raise Refused(
            f"the database holds {large_objects} large objects, which the rollback point would "
            "not carry",
            remedy="move them into bytea columns, or run with `--backup schema`",
        )

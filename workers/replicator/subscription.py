"""One subscription of ours, by its name: created without a copy, started, asked, dropped.

Source: PostgreSQL manual, "CREATE SUBSCRIPTION"; `origin` is of 16 and later.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.domain.objects import APPLY_ROLE
from shared.ports import Session

PUBLISHED = "SELECT count(*) FROM pg_publication_tables WHERE pubname = %s"
OURS = """
SELECT subenabled FROM pg_subscription
WHERE subname = %s AND NOT pg_is_in_recovery()
  AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ORIGIN_NAME = "SELECT 'pg_' || oid FROM pg_subscription WHERE subname = %s"
ORIGIN_IS_BEHIND = """
SELECT coalesce(max(remote_lsn), '0/0') < %s::pg_lsn
FROM pg_replication_origin_status WHERE external_id = %s
"""
WAS_STARTED_FROM = """
SELECT (subenabled OR EXISTS (SELECT FROM pg_stat_subscription_stats
                              WHERE subid = s.oid AND apply_error_count > 0))
   AND (SELECT count(*) FROM pg_subscription_rel WHERE srsubid = s.oid AND srsubstate = 'r') >= %s
   AND EXISTS (SELECT FROM pg_replication_origin_status
               WHERE external_id = 'pg_' || s.oid AND remote_lsn >= %s::pg_lsn)
FROM pg_subscription AS s WHERE subname = %s
"""
OWNER = "SELECT rolname::text FROM pg_roles WHERE rolname = %s"
SET_CONNINFO = "SELECT set_config('bluegreen.conninfo', %s, false)"
CREATE = """
DO $create$
BEGIN
    EXECUTE 'CREATE SUBSCRIPTION {name} CONNECTION '
        || quote_literal(current_setting('bluegreen.conninfo'))
        || ' PUBLICATION {name} WITH ({options})';
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
END $create$
"""
"""In no statement of ours stands a password, nor in what is said of one that fails: statistics and
logs keep both. The conninfo may hold one (`Node.replication_conninfo`)."""
HAS_ORIGIN_OPTION = "SELECT current_setting('server_version_num')::int >= 160000"


def exists(session: Session, name: str) -> bool:
    return session.row(OURS, [name]) is not None


def is_enabled(session: Session, name: str) -> bool:
    return bool(session.value(OURS, [name]))


def was_started_from(session: Session, name: str, lsn: str, published: int) -> bool:
    """Whether it runs, on that many tables at least, and nothing before `lsn` will come again. One
    that an error stopped did run: why it stopped is told where its rows are waited for."""
    return exists(session, name) and bool(session.value(WAS_STARTED_FROM, [published, lsn, name]))


def create_disabled(session: Session, name: str, conninfo: str) -> None:
    """Publication, slot and subscription share one name. There already: nothing.

    It connects once to learn the tables: `connect = false` would leave it without any.
    """
    if exists(session, name):
        return
    _create(session, name, name, conninfo, "copy_data = false, enabled = false")


def create_copying(session: Session, name: str, *, slot: str, conninfo: str) -> None:
    """One that begins at once with a copy of the rows, and reads a slot of another name."""
    if not exists(session, name):
        _create(session, name, slot, conninfo, "copy_data = true, enabled = true")


def _create(session: Session, name: str, slot: str, conninfo: str, more: str) -> None:
    """Where there is a role of its own for it, that one owns it (docs/managed-servers.md)."""
    options = f"slot_name = {ident(slot)}, create_slot = false, disable_on_error = true, {more}"
    if session.value(HAS_ORIGIN_OPTION):
        options += ", origin = none"
    owner = session.value(OWNER, [APPLY_ROLE])
    session.rows(SET_CONNINFO, [conninfo])
    if owner is not None:
        session.execute(f"SET ROLE {ident(owner)}")
    try:
        session.execute(CREATE.format(name=ident(name), options=options))
    finally:
        session.execute("RESET ROLE")
        session.rows(SET_CONNINFO, [""])


def advance_origin(session: Session, name: str, lsn: str) -> None:
    """Begin at `lsn`: only while the origin is lower, since going back would apply rows twice."""
    origin = session.value(ORIGIN_NAME, [name])
    if session.value(ORIGIN_IS_BEHIND, [lsn, origin]):
        session.rows("SELECT pg_replication_origin_advance(%s, %s::pg_lsn)", [origin, lsn])


def enable(session: Session, name: str) -> None:
    if not is_enabled(session, name):
        session.execute(f"ALTER SUBSCRIPTION {ident(name)} ENABLE")


def drop(session: Session, name: str) -> None:
    """Disable and drop it; its slot on the other server stays. Absent, or a standby: nothing."""
    if not exists(session, name):
        return
    session.execute(f"ALTER SUBSCRIPTION {ident(name)} DISABLE")
    session.execute(f"ALTER SUBSCRIPTION {ident(name)} SET (slot_name = NONE)")
    session.execute(f"DROP SUBSCRIPTION {ident(name)}")

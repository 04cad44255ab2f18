"""A table whose copy can never come to its end is copied anew, and no other.

The worker that copies a table drops its own slot on the source, and only then commits that the
table follows. Where the source, green or the connection dies between the two, the table stays `f`
(copied), and every later worker asks for a slot that is gone. The server tries for ever: that error
is neither counted nor stops the subscription, as those of the copy and of apply do. What the slot
held is gone, so a stream from another one would have a gap: only new rows are right.

The table leaves the publication and the subscription, loses its rows, and comes back to both. Each
act looks at what is there, so that whoever comes next goes on from it; one at a time, since rows
are removed.
Source: src/backend/replication/logical/tablesync.c (`process_syncing_tables_for_sync`; 15 to 18);
PostgreSQL manual, "ALTER SUBSCRIPTION".
"""

from __future__ import annotations

import structlog

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.domain.objects import COPY
from shared.ports import Session
from workers.replicator import copy_publication
from workers.replicator.poll import holds_within

LOCK = "SELECT pg_try_advisory_lock(hashtext('bluegreen resync'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('bluegreen resync'))"
BETWEEN_LIMIT_S = 2.0
"""A worker that lives is between the two acts for moments only."""
COPIED = """
SELECT CASE WHEN c.relkind = 'r' THEN 'ONLY ' ELSE '' END
           || format('%%I.%%I', n.nspname, c.relname),
    format('pg_%%s_sync_%%s_%%s', s.oid, c.oid, (SELECT system_identifier FROM pg_control_system()))
FROM pg_subscription_rel AS r JOIN pg_subscription AS s ON s.oid = r.srsubid
    JOIN pg_class AS c ON c.oid = r.srrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.subname = %s AND r.srsubstate = 'f'
"""
"""Tables that have their rows and do not follow yet, each with the slot that holds what came since
(`ReplicationSlotNameForTablesync`)."""
SLOTS = "SELECT slot_name::text FROM pg_replication_slots WHERE slot_name = ANY (%s)"
PUBLISHED = """
SELECT array_agg(format('%%I.%%I', schemaname, tablename)) FROM pg_publication_tables
WHERE pubname = %s
"""
NOT_SUBSCRIBED = """
SELECT EXISTS (SELECT FROM unnest(%s::text[]) AS published (name) WHERE NOT EXISTS (
    SELECT FROM pg_subscription_rel AS r JOIN pg_subscription AS s ON s.oid = r.srsubid
    WHERE s.subname = %s AND r.srrelid = to_regclass(published.name)))
"""
NOT_THERE = """
SELECT found FROM (SELECT regexp_replace(name, '^ONLY ', '') FROM unnest(%s::text[]) AS name)
    AS t(found) WHERE to_regclass(found) IS NULL
"""
REFRESH = f"ALTER SUBSCRIPTION {ident(COPY)} REFRESH PUBLICATION WITH (copy_data = true)"
_log = structlog.get_logger("resync")


def copy_anew(source: Session, target: Session, job: Job) -> None:
    """What such tables need next. The subscription is enabled: a disabled one takes no table.

    Raises Transient where a side cannot be asked; the next call goes on. Raises Refused where a
    table of the source is not one of those that were frozen.
    """
    if not target.value(LOCK):
        return
    try:
        out = copy_publication.left_out(source)
        _expect_frozen(out, target, job)
        if lost := [table for table in _lost(source, target) if table not in out]:
            _log.warning("resync.slot_is_gone", tables=lost)
            copy_publication.take_out(source, lost)
        if out := [*out, *lost]:
            target.execute(REFRESH)  # ends their workers: nobody writes there now
            target.execute(f"TRUNCATE {', '.join(out)}")
            copy_publication.put_back(source, out)
        if target.value(NOT_SUBSCRIBED, [source.value(PUBLISHED, [COPY]), COPY]):
            target.execute(REFRESH)
    finally:
        target.value(UNLOCK)


def _expect_frozen(out: list[str], target: Session, job: Job) -> None:
    """What is not published was taken out by us, or is new."""
    if new := [name for (name,) in target.rows(NOT_THERE, [out])]:
        raise Refused(
            f"expected the tables of {job.source} as they were frozen, found {', '.join(new)} made"
            f" meanwhile: {job.target} has none of that name to copy into; undoing from here",
            remedy="find out who got past the freeze, and run the file again",
        )


def _lost(source: Session, target: Session) -> list[str]:
    """Tables that stay without their slot."""
    first = _without_slot(source, target)

    def are_left() -> set[str]:
        return first & _without_slot(source, target)

    if not first or holds_within(BETWEEN_LIMIT_S, lambda: not are_left()):
        return []
    return sorted(are_left())


def _without_slot(source: Session, target: Session) -> set[str]:
    slots: dict[str, str] = dict(target.rows(COPIED, [COPY]))
    if not slots:
        return set()
    there = {name for (name,) in source.rows(SLOTS, [list(slots.values())])}
    return {table for table, slot in slots.items() if slot not in there}

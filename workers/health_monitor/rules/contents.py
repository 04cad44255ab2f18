"""Rules about what the migrated database holds: what replication carries badly or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.identifiers import ident
from workers.health_monitor.rules.finding import Finding, listed
from workers.health_monitor.snapshot import Snapshot


def replica_identity(snapshot: Snapshot) -> Iterator[Finding]:
    tables = snapshot.source.without_identity
    if tables:
        yield Finding(
            f"without a replica identity updates and deletes cannot be carried: {listed(tables)}",
            f"ALTER TABLE {tables[0]} ADD PRIMARY KEY (..), or REPLICA IDENTITY FULL",
        )


def large_objects(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.source.large_objects:
        yield Finding(
            f"the database holds {snapshot.source.large_objects} large objects, which logical "
            "replication does not carry",
            "move them into bytea columns",
        )


def unlogged(snapshot: Snapshot) -> Iterator[Finding]:
    tables = snapshot.source.unlogged
    if tables:
        yield Finding(
            f"rows of unlogged tables do not reach the standby: {listed(tables)}",
            f"ALTER TABLE {tables[0]} SET LOGGED, or empty it",
        )


def replica_triggers(snapshot: Snapshot) -> Iterator[Finding]:
    triggers = snapshot.source.replica_triggers
    if triggers:
        yield Finding(
            f"triggers marked REPLICA or ALWAYS would fire again in the sync: {listed(triggers)}",
            "ALTER TABLE .. ENABLE TRIGGER .. for each of them",
        )


def writing_event_triggers(snapshot: Snapshot) -> Iterator[Finding]:
    """They fire for what we do to a schema as well, and on green that is more than on blue."""
    names = snapshot.source.writing_event_triggers
    if names:
        yield Finding(
            f"event triggers that write rows ({listed(names)}) would fire for our own changes, and "
            "write others on green than on the active side: the comparison would find them",
            f"ALTER EVENT TRIGGER {ident(names[0])} DISABLE until the job has ended",
        )


def subscriptions(snapshot: Snapshot) -> Iterator[Finding]:
    names = snapshot.source.subscriptions
    if names:
        yield Finding(
            f"{snapshot.active} subscribes to other servers ({listed(names)}): the fork would "
            "apply their changes twice",
            f"ALTER SUBSCRIPTION {names[0]} DISABLE and drop it; make it anew on the side that "
            "serves afterwards",
        )


def foreign_slots(snapshot: Snapshot) -> Iterator[Finding]:
    slots = tuple(
        slot.name
        for slot in snapshot.source.slots
        if slot.kind == "logical" and not slot.name.startswith("bluegreen_")
    )
    if slots:
        yield Finding(
            f"others read {snapshot.active} through logical slots ({listed(slots)}): after the "
            "cutover they would miss every change",
            "drop the slots; let their readers begin anew on the side that serves afterwards",
        )


def publications(snapshot: Snapshot) -> Iterator[Finding]:
    names = snapshot.source.publications
    if names:
        yield Finding(
            f"{snapshot.active} publishes to others ({listed(names)}): the publications go along "
            "to the other side, the place of their readers does not",
            "let the readers begin anew on the side that serves after `finish`",
            refuses=False,
        )


def several_databases(snapshot: Snapshot) -> Iterator[Finding]:
    names = snapshot.source.databases
    if len(names) > 1:
        yield Finding(
            f"expected one database in the cluster, found {listed(names)}: the cutover closes the "
            "whole server to logins, and only one database is kept in sync",
            "move the others to a server of their own",
        )

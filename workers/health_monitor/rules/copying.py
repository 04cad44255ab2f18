"""Rules for a green that is copied: an empty server of its own, the rights that a copy needs."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.kinds import COPY_BYTES_PER_S
from workers.health_monitor.rules.finding import Finding, listed
from workers.health_monitor.snapshot import Snapshot

OWN_SLOTS = 2
"""The stream's, and one in hand; every table under way has one more."""


def copy_target(snapshot: Snapshot) -> Iterator[Finding]:
    target, facts = snapshot.target, snapshot.copy.get(snapshot.active.other)
    name = snapshot.active.other
    own = target is None or target.system_identifier != snapshot.source.system_identifier
    if target is not None and (target.in_recovery or not own):
        yield Finding(
            f"expected {name} to be a writable server of its own, found a copy of"
            f" {snapshot.active}, or that server itself",
            "name an empty server of its own",
        )
        return
    if target is None or facts is None:
        yield Finding(
            f"expected a server on {name} to copy into, found none that answers",
            "start it; docs/managed-servers.md says how it is prepared",
        )
        return
    if not facts.is_prepared:
        yield Finding(
            f"expected {name} to be prepared for Bluegreen, found no schema bluegreen there",
            "prepare it as docs/managed-servers.md says",
        )
    elif facts.contents and not facts.may_be_emptied:
        yield Finding(
            f"expected the database on {name} to be empty, or left there closed by an earlier job,"
            f" found {listed(facts.contents)}",
            "drop what is there yourself, or name an empty database; nothing of others is dropped",
        )


def copy_like(snapshot: Snapshot) -> Iterator[Finding]:
    """What a dump does not bring along."""
    here, there = (snapshot.copy.get(side) for side in (snapshot.active, snapshot.active.other))
    if here is None or there is None or snapshot.target is None or not there.is_prepared:
        return
    if here.locale != there.locale:
        yield Finding(
            f"expected the database on {snapshot.active.other} to be made as on {snapshot.active}"
            f" ({here.locale}), found {there.locale}: text would sort otherwise",
            "CREATE DATABASE .. TEMPLATE template0 with that ENCODING and LOCALE",
        )
    lacks = tuple(sorted(set(snapshot.source.extensions) - set(snapshot.target.extensions)))
    if lacks and not there.is_superuser:
        yield Finding(
            f"extensions of {snapshot.active} are not on {snapshot.active.other}: {listed(lacks)}",
            f"CREATE EXTENSION {lacks[0]} there, as its administrator",
        )
    if here.event_triggers and not there.is_superuser:
        yield Finding(
            f"event triggers ({listed(here.event_triggers)}) can be copied by superusers only",
            "drop them, and make them anew on the side that serves after `finish`",
        )


def copy_rights(snapshot: Snapshot) -> Iterator[Finding]:
    for colour, facts in snapshot.copy.items():
        for what, remedy in facts.missing:
            yield Finding(f"on {colour} {what}", remedy)


def copy_room(snapshot: Snapshot) -> Iterator[Finding]:
    """Slots on the side that is read, workers on the side that writes."""
    if snapshot.target is None:
        return
    settings = snapshot.target.settings
    side_by_side = int(settings.get("max_sync_workers_per_subscription", "2"))
    workers = int(settings.get("max_logical_replication_workers", "4"))
    if workers < 1 + side_by_side:
        yield Finding(
            f"{snapshot.active.other} has {workers} logical replication workers: fewer than the "
            f"{side_by_side} tables that could be copied side by side, and their stream",
            f"max_logical_replication_workers = {side_by_side + 2} there, and a restart",
            refuses=False,
        )
    needed, taken = OWN_SLOTS + side_by_side, len(snapshot.source.slots)
    limit = int(snapshot.source.settings.get("max_replication_slots", "0"))
    if limit - taken < needed:
        yield Finding(
            f"expected {needed} free replication slots on {snapshot.active} for a copy of "
            f"{side_by_side} tables side by side, found {taken} of {limit} taken",
            f"max_replication_slots = {taken + needed}, and a restart",
        )


def estimate_s(snapshot: Snapshot) -> float:
    """How long the copy of the rows may take."""
    return snapshot.source.database_bytes / COPY_BYTES_PER_S

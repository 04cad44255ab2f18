"""Rules about the two servers: who they are, and whether they can replicate."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.objects import STANDBY_SLOTS
from workers.health_monitor.rules.finding import Finding, listed
from workers.health_monitor.rules.room import DISK_FLOOR_BYTES
from workers.health_monitor.snapshot import Snapshot

OLDEST, NEWEST = 15, 18
SLOTS_NEEDED, SENDERS_NEEDED, WORKERS_NEEDED = 3, 4, 3
"""Stream, guard and the new standby's; each of them read, and a base backup; apply workers."""


def version(snapshot: Snapshot) -> Iterator[Finding]:
    for colour, server in snapshot.servers.items():
        major = server.version_num // 10_000
        if not OLDEST <= major <= NEWEST:
            yield Finding(
                f"expected PostgreSQL {OLDEST} to {NEWEST} on {colour}, found {major}",
                "use a version of Bluegreen that knows this server",
            )
    if len({server.version_num // 10_000 for server in snapshot.servers.values()}) > 1:
        yield Finding(
            "expected both servers to be of one major version, found two",
            "upgrade the standby first",
        )


def writable(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.source.in_recovery:
        yield Finding(
            f"expected {snapshot.active} to be writable, since traffic goes there; it is in "
            "recovery",
            "`bluegreen proxy status` shows the routes; `bluegreen doctor` says more",
        )


def way_back(snapshot: Snapshot) -> Iterator[Finding]:
    other = snapshot.active.other
    if other in snapshot.unread:
        yield Finding(
            f"expected {snapshot.active} to reach {other}, from which it reads while there is a "
            f"way back; {other} stands in the stack's own network",
            "compose/existing-database-risky.yml publishes it (docs/compose.md, An existing "
            "database); else --type safe",
        )


def instant_way_back(snapshot: Snapshot) -> Iterator[Finding]:
    yield Finding(
        f"expected a standby of {snapshot.active} that is held back while the file runs, the "
        "instant way back of a maintenance; found none: of a server only the address is known",
        "--type risky, where the file allows it; else stop the application yourself, and run the "
        "file with psql behind a full backup of your own",
    )


def standby(snapshot: Snapshot) -> Iterator[Finding]:
    target = snapshot.target
    if target is None:
        size = snapshot.source.database_bytes >> 20
        yield Finding(
            f"expected the standby on {snapshot.active.other}, found no server there",
            f"start it; else {size} MB are copied first, over whatever is there"
            if snapshot.makes_standby
            else "start it; it must stream from the active side",
            refuses=not snapshot.makes_standby,
        )
        return
    if not target.in_recovery:
        yield Finding(
            f"expected {snapshot.active.other} to be a standby, found a writable server",
            f"make it a standby of {snapshot.active} again (pg_rewind or pg_basebackup)",
        )
    if target.system_identifier != snapshot.source.system_identifier:
        yield Finding(
            "expected the standby to be a copy of the active server, found another system "
            f"identifier ({target.system_identifier})",
            f"rebuild it with pg_basebackup from {snapshot.active}",
        )


def streaming(snapshot: Snapshot) -> Iterator[Finding]:
    states = [replica.state for replica in snapshot.source.replicas]
    slot = STANDBY_SLOTS[snapshot.active.other.value]
    lost = all(found.is_lost for found in snapshot.source.slots if found.name == slot)
    if snapshot.makes_standby and (snapshot.target is None or ("streaming" not in states and lost)):
        if snapshot.target is not None:
            yield Finding(
                f"the WAL that {snapshot.active.other} needs to follow is gone",
                f"nothing: {snapshot.source.database_bytes >> 20} MB are copied first",
                refuses=False,
            )
    elif "streaming" not in states:
        yield Finding(
            f"expected the standby to stream from {snapshot.active}, found {states or 'nobody'}",
            "see the standby's log: primary_conninfo, its slot, WAL that is gone",
        )


def synchronous(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.source.settings.get("synchronous_standby_names"):
        yield Finding(
            "the standby is synchronous: the fork would make every commit wait for it",
            "ALTER SYSTEM RESET synchronous_standby_names, and reload",
        )


def other_standbys(snapshot: Snapshot) -> Iterator[Finding]:
    physical = [
        slot.name
        for slot in snapshot.source.slots
        if slot.kind == "physical" and not slot.name.startswith("bluegreen_")
    ]
    if physical:
        yield Finding(
            f"{snapshot.active} has other standbys ({', '.join(physical)}): after the cutover "
            "they would follow a side that nobody writes to",
            "remove them for the time of the migration",
            refuses=False,
        )


def wal_level(snapshot: Snapshot) -> Iterator[Finding]:
    found = snapshot.source.settings.get("wal_level")
    if found != "logical":
        yield Finding(
            f"expected wal_level logical on {snapshot.active}, found {found}",
            "ALTER SYSTEM SET wal_level = logical, and restart",
        )


def rewindable(snapshot: Snapshot) -> Iterator[Finding]:
    settings = snapshot.source.settings
    if settings.get("wal_log_hints") != "on" and settings.get("data_checksums") != "on":
        yield Finding(
            "pg_rewind needs wal_log_hints or data checksums, found neither: the old side could "
            "not become the standby again",
            "ALTER SYSTEM SET wal_log_hints = on, and restart",
        )


def free_slots(snapshot: Snapshot) -> Iterator[Finding]:
    for colour, server in snapshot.servers.items():
        limit = int(server.settings.get("max_replication_slots", "0"))
        if limit - len(server.slots) < SLOTS_NEEDED:
            yield Finding(
                f"expected {SLOTS_NEEDED} free replication slots on {colour}, found "
                f"{len(server.slots)} of {limit} taken",
                f"ALTER SYSTEM SET max_replication_slots = {len(server.slots) + SLOTS_NEEDED}",
            )
        senders = int(server.settings.get("max_wal_senders", "0"))
        if senders - len(server.replicas) < SENDERS_NEEDED:
            yield Finding(
                f"expected {SENDERS_NEEDED} free WAL senders on {colour}, found "
                f"{len(server.replicas)} of {senders} taken",
                f"ALTER SYSTEM SET max_wal_senders = {len(server.replicas) + SENDERS_NEEDED}",
            )


def apply_workers(snapshot: Snapshot) -> Iterator[Finding]:
    for colour, server in snapshot.servers.items():
        workers = int(server.settings.get("max_logical_replication_workers", "4"))
        if workers < WORKERS_NEEDED:
            yield Finding(
                f"expected {WORKERS_NEEDED} logical replication workers on {colour}, found "
                f"max_logical_replication_workers = {workers}",
                f"ALTER SYSTEM SET max_logical_replication_workers = {WORKERS_NEEDED}",
            )


ACT_BY_THEMSELVES = frozenset(
    {"pg_cron", "pg_timetable", "pgagent", "pg_partman_bgw", "timescaledb", "citus", "pglogical",
     "pg_background", "pg_task", "repmgr"}
)  # fmt: skip
"""Extensions and libraries whose background workers change data, on each server that runs them."""


def background_jobs(snapshot: Snapshot) -> Iterator[Finding]:
    preloaded = snapshot.source.settings.get("shared_preload_libraries", "")
    libraries = {name.strip().strip('"') for name in preloaded.split(",")}
    found = tuple(sorted((libraries | set(snapshot.source.extensions)) & ACT_BY_THEMSELVES))
    if found:
        yield Finding(
            f"{snapshot.active} runs jobs of its own ({listed(found)}): both sides would run them "
            "while they are in sync",
            "run such jobs from outside, through a door; or take the extension away meanwhile",
        )
    unknown = snapshot.source.background
    if unknown and not found:
        yield Finding(
            f"{snapshot.active} has background processes that are not known here "
            f"({listed(unknown)}): what they write, both sides would write",
            "see that they only read, or stop them for the time of the migration",
            refuses=False,
        )


def kept_wal(snapshot: Snapshot) -> Iterator[Finding]:
    """Both sides keep WAL for the other, and whichever serves must not stop for want of room."""
    for colour, server in snapshot.servers.items():
        bound_mb = int(server.settings.get("max_slot_wal_keep_size", "-1"))
        free = server.free_disk_bytes
        if bound_mb < 0:
            yield Finding(
                f"nothing bounds the WAL that slots keep on {colour}: were the other side away for "
                "long, its disk would fill",
                "ALTER SYSTEM SET max_slot_wal_keep_size below the free disk, and reload",
                refuses=False,
            )
        elif free is not None and DISK_FLOOR_BYTES < free < bound_mb << 20:
            yield Finding(
                f"slots may keep {bound_mb} MB of WAL on {colour}, and {free >> 20} MB of its disk "
                "are free",
                "ALTER SYSTEM SET max_slot_wal_keep_size below the free disk, and reload",
                refuses=False,
            )


def archiving(snapshot: Snapshot) -> Iterator[Finding]:
    modes = {server.settings.get("archive_mode") for server in snapshot.servers.values()}
    if modes & {"on", "always"}:
        yield Finding(
            "WAL is archived: after the fork both sides write a timeline of their own into it",
            "give each side an archive of its own",
            refuses=False,
        )

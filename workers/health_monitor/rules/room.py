"""Rules about what the hosts have left: disk, memory, processors."""

from __future__ import annotations

from collections.abc import Iterator

from workers.health_monitor.rules.finding import Finding
from workers.health_monitor.snapshot import Snapshot

DISK_FLOOR_BYTES = 256 << 20
COPIES = 3
"""Of what a file touches, on the side that it runs on: the rewritten table, its WAL, and the
landing columns or the indexes beside it. A guess on the safe side; the fork copies nothing."""
PACKED = 2
"""A dump is smaller than its tables and their indexes at least by so much."""
MEMORY_FLOOR_BYTES = 64 << 20
CORES = 2


def disk(snapshot: Snapshot) -> Iterator[Finding]:
    size, touched = snapshot.source.database_bytes, snapshot.source.touched_bytes
    floor = max(DISK_FLOOR_BYTES, size // 10)
    for colour, server in snapshot.servers.items():
        free, needed = server.free_disk_bytes, floor + COPIES * touched
        if free is None:
            continue
        if free < floor:
            yield Finding(
                f"expected {floor >> 20} MB of free disk for {colour}, found {free >> 20} MB",
                "make room: WAL is kept while the sides are in sync, and a rewrite copies tables",
            )
        elif free < needed:
            yield Finding(
                f"{colour} has {free >> 20} MB of free disk; the tables that the file touches are "
                f"{touched >> 20} MB: rewritten, with their WAL, they may take {needed >> 20} MB",
                "make room, or migrate table by table",
                refuses=False,
            )


def backup_disk(snapshot: Snapshot) -> Iterator[Finding]:
    free = snapshot.free_backup_bytes
    needed = snapshot.source.touched_bytes // PACKED
    if free is not None and free < needed:
        yield Finding(
            f"the rollback point may take {needed >> 20} MB, and its disk has {free >> 20} MB left",
            "`bluegreen backups prune`, or make room",
            refuses=False,
        )


def memory(snapshot: Snapshot) -> Iterator[Finding]:
    """Beside the application both sides build indexes, and a server that finds none is killed."""
    for colour, server in snapshot.servers.items():
        if server.host is None:
            continue
        work = int(server.settings.get("maintenance_work_mem", "65536")) << 10
        free, needed = server.host.memory_available_bytes, MEMORY_FLOOR_BYTES + work
        if free < needed:
            yield Finding(
                f"expected {needed >> 20} MB of memory left on the host of {colour} (an index is "
                f"built in {work >> 20} MB), found {free >> 20} MB",
                "make room, or lower maintenance_work_mem",
                refuses=free < MEMORY_FLOOR_BYTES,
            )


def cores(snapshot: Snapshot) -> Iterator[Finding]:
    few = [
        colour for colour, server in snapshot.servers.items()
        if server.host is not None and server.host.cores < CORES
    ]  # fmt: skip
    if few:
        yield Finding(
            f"expected {CORES} processor cores on the host of {few[0]}, found 1: what the job does "
            "there, the application waits for",
            "give the host another core, or migrate in a quiet hour",
            refuses=False,
        )

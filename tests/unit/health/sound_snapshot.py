"""What preflight sees of two servers that are sound, and the same with one thing changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain.environment import Colour
from shared.domain.pooler import PoolerFacts
from shared.ports import HostLoad
from workers.health_monitor.snapshot import (
    Client,
    CopyFacts,
    Replica,
    ServerFacts,
    Slot,
    Snapshot,
)

SETTINGS = {
    "wal_level": "logical", "max_replication_slots": "20", "max_wal_senders": "20",
    "wal_log_hints": "on", "data_checksums": "off", "synchronous_standby_names": "",
    "archive_mode": "off", "max_logical_replication_workers": "10",
    "max_slot_wal_keep_size": "256", "shared_preload_libraries": "pg_stat_statements",
}  # fmt: skip
BLUE = ServerFacts(
    version_num=180004, system_identifier="7", in_recovery=False, settings=SETTINGS,
    slots=(Slot("bluegreen_standby_green", "physical", True),),
    replicas=(Replica("green", "streaming", "async", "127.0.0.1", 4711),),
    databases=("app",), database_bytes=1 << 30, free_disk_bytes=10 << 30,
    clients=(Client("app", "127.0.0.1", 50_001, ""),),
)  # fmt: skip
GREEN = replace(BLUE, in_recovery=True, slots=(), replicas=(), clients=())
POOLER = PoolerFacts(
    version=(1, 24),
    pool_mode="transaction",
    query_wait_timeout_s=60,
    sockets=frozenset({("127.0.0.1", 50_001)}),
)
SOUND = Snapshot(
    active=Colour.BLUE,
    servers={Colour.BLUE: BLUE, Colour.GREEN: GREEN},
    pooler=POOLER,
    application_role="app",
    pause_limit_s=0.75,
)


def source(**changed: Any) -> Snapshot:
    return replace(SOUND, servers={**SOUND.servers, Colour.BLUE: replace(BLUE, **changed)})


def target(**changed: Any) -> Snapshot:
    return replace(SOUND, servers={**SOUND.servers, Colour.GREEN: replace(GREEN, **changed)})


def setting(name: str, value: str) -> Snapshot:
    return source(settings=SETTINGS | {name: value})


def pooler(**changed: Any) -> Snapshot:
    return replace(SOUND, pooler=replace(POOLER, **changed))


def host(*, cores: int = 2, memory_available_bytes: int = 1 << 30) -> HostLoad:
    return HostLoad(1.0, cores, 1 << 28, memory_available_bytes, 1 << 32)


OWN = replace(GREEN, in_recovery=False, system_identifier="8")
THERE = CopyFacts(locale="UTF8 de_DE.UTF-8 de_DE.UTF-8 c")
COPIED = replace(
    SOUND, servers={Colour.BLUE: BLUE, Colour.GREEN: OWN}, remote=tuple(Colour),
    copy={Colour.BLUE: THERE, Colour.GREEN: THERE},
)  # fmt: skip


def copied(*, here: CopyFacts = THERE, there: CopyFacts | None = THERE) -> Snapshot:
    """Two servers of which only the addresses are known, and what was asked of each."""
    found = {Colour.BLUE: here} | ({Colour.GREEN: there} if there else {})
    return replace(COPIED, copy=found)

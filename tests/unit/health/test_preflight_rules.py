"""Every preflight rule fires on the one thing it is for, and on a sound snapshot none does."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.doors.door_addresses import door_addresses, own_address
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from tests.unit.health.sound_snapshot import (
    BLUE,
    COPIED,
    GREEN,
    OWN,
    SETTINGS,
    SOUND,
    THERE,
    copied,
    host,
    pooler,
    setting,
    source,
    target,
)
from workers.health_monitor.rules import RULES, findings
from workers.health_monitor.snapshot import (
    Client,
    KeptState,
    LongTransaction,
    Replica,
    Slot,
    Snapshot,
)

PAST = Client("app", "10.0.0.9", 50_001, "psql")
FIRES: dict[str, list[Snapshot]] = {
    "version": [source(version_num=140012), target(version_num=170002)],
    "writable": [source(in_recovery=True)],
    "disk": [
        source(free_disk_bytes=1 << 20),
        source(free_disk_bytes=2 << 30, touched_bytes=1 << 30),
        replace(
            source(touched_bytes=1 << 30),
            servers={
                Colour.BLUE: replace(BLUE, touched_bytes=1 << 30),
                Colour.GREEN: replace(GREEN, free_disk_bytes=2 << 30),
            },
        ),
    ],
    "backup_disk": [replace(source(touched_bytes=1 << 30), free_backup_bytes=1 << 28)],
    "memory": [source(host=host(memory_available_bytes=m << 20)) for m in (63, 127)],
    "cores": [target(host=host(cores=1))],
    "way_back": [replace(SOUND, unread=(Colour.GREEN,))],
    "instant_way_back": [COPIED],
    "standby": [
        replace(SOUND, servers={Colour.BLUE: BLUE}),
        target(in_recovery=False),
        target(system_identifier="8"),
    ],
    "streaming": [source(replicas=()), source(replicas=(Replica("g", "catchup", "", "", 1),))],
    "synchronous": [setting("synchronous_standby_names", "*")],
    "other_standbys": [source(slots=(Slot("theirs", "physical", True),))],
    "wal_level": [setting("wal_level", "replica")],
    "rewindable": [setting("wal_log_hints", "off")],
    "free_slots": [setting("max_replication_slots", "3"), setting("max_wal_senders", "4")],
    "apply_workers": [setting("max_logical_replication_workers", "2")],
    "kept_wal": [
        setting("max_slot_wal_keep_size", "-1"),
        setting("max_slot_wal_keep_size", "20000"),
    ],
    "background_jobs": [
        setting("shared_preload_libraries", 'pg_stat_statements, "pg_cron"'),
        source(extensions=("plpgsql", "timescaledb")),
        source(background=("queue sweeper",)),
    ],
    "archiving": [setting("archive_mode", "on")],
    "copy_target": [
        copied(there=None),
        replace(COPIED, servers={Colour.BLUE: BLUE, Colour.GREEN: replace(OWN, in_recovery=True)}),
        replace(
            COPIED, servers={Colour.BLUE: BLUE, Colour.GREEN: replace(OWN, system_identifier="7")}
        ),
        copied(there=replace(THERE, is_prepared=False)),
        copied(there=replace(THERE, contents=("table public.t",))),
    ],
    "copy_like": [
        copied(there=replace(THERE, locale="UTF8 C C c")),
        replace(
            COPIED, servers={Colour.BLUE: replace(BLUE, extensions=("citext",)), Colour.GREEN: OWN}
        ),
        copied(here=replace(THERE, event_triggers=("theirs",))),
    ],
    "copy_rights": [copied(here=replace(THERE, missing=(("nobody may", "GRANT it"),)))],
    "copy_room": [
        replace(
            COPIED,
            servers={
                Colour.BLUE: BLUE,
                Colour.GREEN: replace(
                    OWN, settings=SETTINGS | {"max_sync_workers_per_subscription": "10"}
                ),
            },
        ),
        replace(
            COPIED,
            servers={
                Colour.BLUE: replace(BLUE, settings=SETTINGS | {"max_replication_slots": "4"}),
                Colour.GREEN: OWN,
            },
        ),
    ],
    "replica_identity": [source(without_identity=("public.log",))],
    "large_objects": [source(large_objects=3)],
    "unlogged": [source(unlogged=("public.cache",))],
    "replica_triggers": [source(replica_triggers=("public.users.audit",))],
    "writing_event_triggers": [source(writing_event_triggers=("log_ddl",))],
    "subscriptions": [source(subscriptions=("theirs",))],
    "foreign_slots": [source(slots=(Slot("debezium", "logical", False),))],
    "publications": [source(publications=("feed",))],
    "several_databases": [source(databases=("app", "other"))],
    "prepared_transactions": [source(prepared_transactions=1)],
    "long_transactions": [source(long_transactions=(LongTransaction(1, "app", 99.0),))],
    "application_superuser": [source(superusers=("app",))],
    "other_superusers": [source(superusers=("dba",))],
    "pooler_present": [replace(SOUND, pooler=None)],
    "pooled_door": [replace(SOUND, door_answers=False)],
    "pooler_version": [pooler(version=(1, 20))],
    "pooler_mode": [pooler(pool_mode="session")],
    "pooler_patience": [pooler(query_wait_timeout_s=0.5)],
    "pooler_hold": [replace(SOUND, holds_clients=True)],
    "bypassing_clients": [
        source(clients=(PAST,)),
        replace(source(clients=(PAST,)), stays=frozenset({("app", "10.0.0.9", "psql")})),
    ],
    "state_in_the_pool": [
        source(session_state=(KeptState("app", "127.0.0.1", 50_001, what),))
        for what in ("LISTEN", "a temporary table")
    ],
}


def test_every_rule_has_a_case_that_fires() -> None:
    assert [rule.id for rule in RULES] == list(FIRES)


def test_the_manual_has_a_row_for_every_rule() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "preflight.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", manual, re.MULTILINE) == [rule.id for rule in RULES]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_sound_pair_is_refused_by_no_rule(kind: Kind) -> None:
    assert findings(SOUND, kind) == []


@pytest.mark.parametrize(
    ("rule", "snapshot"), [(rule, case) for rule, cases in FIRES.items() for case in cases]
)
def test_a_rule_fires_alone_and_names_a_remedy(rule: str, snapshot: Snapshot) -> None:
    kind = Kind.MAINTENANCE if rule == "instant_way_back" else Kind.RISKY
    found = findings(snapshot, kind)
    assert {name for name, _ in found} == {rule}
    assert all(finding.message and finding.remedy for _, finding in found)


def test_two_servers_of_which_only_the_addresses_are_known_are_copied() -> None:
    assert (SOUND.strategy, COPIED.strategy) == ("fork", "copy")
    assert findings(COPIED, Kind.RISKY) == []
    left = copied(there=replace(THERE, contents=("table public.t",), may_be_emptied=True))
    assert findings(left, Kind.RISKY) == []


def test_a_safe_migration_needs_neither_standby_nor_pooler() -> None:
    alone = replace(SOUND, servers={Colour.BLUE: BLUE}, pooler=None)
    assert findings(alone, Kind.SAFE) == []


def test_a_standby_that_is_lost_is_no_obstacle_where_it_can_be_made() -> None:
    gone = replace(SOUND, servers={Colour.BLUE: BLUE}, makes_standby=True)
    slots = (Slot("bluegreen_standby_green", "physical", False, is_lost=True),)
    behind = replace(source(replicas=(), slots=slots), makes_standby=True)
    for snapshot in (gone, behind):
        (finding,) = (finding for _, finding in findings(snapshot, Kind.RISKY))
        assert not finding.refuses
        assert "1024 MB are copied first" in finding.remedy
    held = (Slot("bluegreen_standby_green", "physical", False),)
    waits = replace(source(replicas=(), slots=held), makes_standby=True)
    assert [finding.refuses for _, finding in findings(waits, Kind.RISKY)] == [True]


def test_who_passes_the_doors_for_a_moment_or_by_permission_is_let_through() -> None:
    past = source(clients=(PAST,))
    assert findings(replace(past, stays=frozenset()), Kind.RISKY) == []
    assert findings(replace(past, exempt_applications=frozenset({"psql"})), Kind.RISKY) == []
    assert findings(replace(past, door_addresses=frozenset({"10.0.0.9"})), Kind.RISKY) == []


def test_behind_a_network_that_hides_addresses_ours_come_from_the_one_that_it_shows() -> None:
    """As containers reach a server outside: neither the pooler's address nor its port arrives."""
    past = source(clients=(PAST,), sees_us_at="10.0.0.9")
    hidden = replace(past, own_addresses={Colour.BLUE: "172.18.0.7"})
    assert findings(hidden, Kind.RISKY) == []
    for seen, own in (("10.0.0.8", "172.18.0.7"), ("10.0.0.9", "10.0.0.9"), ("10.0.0.9", "fd00::7"),
                      ("10.0.0.9", "")):  # fmt: skip
        other = replace(source(clients=(PAST,), sees_us_at=seen), own_addresses={Colour.BLUE: own})
        assert [rule for rule, _ in findings(other, Kind.RISKY)] == ["bypassing_clients"]


def test_the_address_with_which_this_host_sends_is_known_without_sending() -> None:
    assert own_address("127.0.0.1", 9) == "127.0.0.1"
    assert own_address("no.such.host.invalid", 9) == ""


def test_a_door_on_this_host_has_no_address_of_its_own() -> None:
    assert door_addresses("localhost") == door_addresses("127.0.0.1") == frozenset()
    assert door_addresses("10.0.0.9") == {"10.0.0.9"}


def test_a_pooler_that_waits_for_ever_is_patient_enough() -> None:
    assert findings(pooler(query_wait_timeout_s=0), Kind.RISKY) == []

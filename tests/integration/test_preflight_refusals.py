"""Each thing that preflight refuses is brought about on real servers, and refused with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from shared.adapters.drivers.local_driver import LocalDriver
from shared.adapters.drivers.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.kinds import Kind
from tests.support.preflighted import (
    JOB,
    refused_within,
    sound_preflight,
    stack_of_users,
    warnings_within,
)
from tests.support.stack import Stack
from tests.support.steps import a_job, done
from workers.health_monitor.server_facts import read_server
from workers.health_monitor.steps.preflight import Preflight

FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with stack_of_users() as stack:
        yield stack


@pytest.fixture
def preflight(stack: Stack) -> Preflight:
    return sound_preflight(stack)


@contextmanager
def made_so(stack: Stack, change: Sequence[str], back: Sequence[str]) -> Iterator[None]:
    """On the active side, as the administrator; reversed at the end."""
    with stack.connect("blue") as administrator:
        try:
            for statement in change:
                administrator.execute(statement)
            yield
        finally:
            for statement in back:
                administrator.execute(statement)


@pytest.mark.parametrize(
    ("change", "back", "says"),
    [
        (["CREATE TABLE log (line text)"], ["DROP TABLE log"], r"replica identity .*public\.log"),
        (["CREATE TABLE late (id int PRIMARY KEY DEFERRABLE)"], ["DROP TABLE late"],
         r"replica identity .*public\.late"),
        (["SELECT lo_create(4711)"], ["SELECT lo_unlink(4711)"], "1 large objects"),
        (["CREATE UNLOGGED TABLE cache AS SELECT 1 AS n"], ["DROP TABLE cache"],
         r"unlogged .*public\.cache"),
        ([FUNCTION, "CREATE TRIGGER audit AFTER INSERT ON users EXECUTE FUNCTION f()",
          "ALTER TABLE users ENABLE ALWAYS TRIGGER audit"],
         ["DROP FUNCTION f CASCADE"], r"ALWAYS .*public\.users\.audit"),
        (["CREATE SUBSCRIPTION theirs CONNECTION 'host=nowhere' PUBLICATION p "
          "WITH (connect = false)"],
         ["ALTER SUBSCRIPTION theirs SET (slot_name = NONE)", "DROP SUBSCRIPTION theirs"],
         "subscribes .*theirs"),
        (["SELECT pg_create_logical_replication_slot('debezium', 'pgoutput')"],
         ["SELECT pg_drop_replication_slot('debezium')"], "logical slots .*debezium"),
        (["CREATE DATABASE other"], ["DROP DATABASE other"], "found app, other"),
        (["ALTER ROLE app SUPERUSER"], ["ALTER ROLE app NOSUPERUSER"], "app is a superuser"),
        (["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"],
         ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"],
         "standby is synchronous"),
    ],
    ids=["identity", "deferrable", "large objects", "unlogged", "triggers", "subscriptions",
         "slots", "databases", "superuser", "synchronous"],
)  # fmt: skip
def test_what_the_fork_or_the_sync_cannot_carry_is_refused(
    stack: Stack, preflight: Preflight, change: list[str], back: list[str], says: str
) -> None:
    with made_so(stack, change, back):
        refusal = refused_within(preflight, limit_s=20)
        assert refusal.remedy
        with pytest.raises(Refused, match=says):
            raise refusal
        done(preflight, a_job(Kind.SAFE, id=f"safe {says}"))


def test_a_standby_that_is_down_is_refused_unless_it_can_be_made_anew(
    stack: Stack, preflight: Preflight
) -> None:
    remote = replace(preflight, remote=(Colour.GREEN,))
    with pytest.raises(Refused, match="green to be a writable server of its own, found a copy"):
        done(remote, JOB)
    green = make_nodes(stack.settings, "bg_health")[Colour.GREEN].driver
    green.stop(limit_s=20)
    try:
        refusal = refused_within(remote, limit_s=20)
        maintenance = a_job(Kind.MAINTENANCE)
        with pytest.raises(Refused, match="expected the standby on green, found no server there"):
            done(preflight, maintenance)
        warnings_within(preflight, r"expected the standby on green, .* MB are copied first")
    finally:
        green.start(limit_s=30)
    assert "expected a server on green to copy into, found none that answers" in refusal.message


@pytest.mark.parametrize(
    ("change", "back", "says"),
    [
        (["SELECT pg_create_physical_replication_slot('theirs')"],
         ["SELECT pg_drop_replication_slot('theirs')"], r"other standbys \(theirs\)"),
        (["CREATE PUBLICATION feed FOR TABLE users"], ["DROP PUBLICATION feed"],
         r"publishes to others \(feed\)"),
        (["CREATE ROLE dba SUPERUSER LOGIN"], ["DROP ROLE dba"], r"superusers .*\(dba\)"),
        (["ALTER SYSTEM SET max_slot_wal_keep_size = -1", "SELECT pg_reload_conf()"],
         ["ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()"],
         "nothing bounds the WAL that slots keep on blue"),
    ],
    ids=["standbys", "publications", "superusers", "kept WAL"],
)  # fmt: skip
def test_what_a_person_should_know_is_warned_of(
    stack: Stack, preflight: Preflight, change: list[str], back: list[str], says: str
) -> None:
    with made_so(stack, change, back):
        warnings_within(preflight, says)


def test_a_side_in_recovery_or_without_room_is_refused(
    stack: Stack, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="expected green to be writable"):
        done(preflight, a_job(source=Colour.GREEN))
    monkeypatch.setattr(LocalDriver, "free_disk_bytes", lambda _: 1 << 20)
    with pytest.raises(Refused, match="expected 256 MB of free disk for blue"):
        done(preflight, JOB)


def test_what_the_file_touches_and_what_the_host_has_is_read(stack: Stack) -> None:
    node = make_nodes(stack.settings, "bg_health")[Colour.BLUE]
    facts = read_server(node, exempt=("postgres",), touched=("users", "public.nowhere"))
    assert facts.touched_bytes >= 8192
    assert facts.host is not None
    assert facts.host.cores >= 1
    assert read_server(node, exempt=("postgres",)).touched_bytes == 0


def test_what_the_file_touches_in_a_schema_of_the_application_is_read(stack: Stack) -> None:
    node = make_nodes(stack.settings, "bg_health")[Colour.BLUE]
    touched = ('"Its Own"."Big.Things"', '"Its Own".nowhere')
    with psycopg.connect(stack.doors["direct"], autocommit=True) as application:
        application.execute('CREATE SCHEMA "Its Own"')
        try:
            application.execute('CREATE TABLE "Its Own"."Big.Things" AS SELECT 1 AS n')
            assert read_server(node, exempt=("postgres",), touched=touched).touched_bytes == 8192
        finally:
            application.execute('DROP SCHEMA "Its Own" CASCADE')

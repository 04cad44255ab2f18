"""Each thing that preflight refuses is brought about on real servers, and refused with a remedy."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.local_driver import LocalDriver
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.pooler.pooler_console import console
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.domain.kinds import Kind
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from tests.support.wait import until
from workers.health_monitor.server_facts import read_server
from workers.health_monitor.steps.preflight import Preflight
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Order, Switch

JOB = a_job()
FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


@dataclass
class Notes:
    """Observations, in memory."""

    kept: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)

    def seen(self, job: str, key: str) -> dict[str, object] | None:
        return self.kept.get((job, key))

    def note(self, job: str, key: str, body: dict[str, object]) -> None:
        self.kept[job, key] = body


class QuickDoor:
    def round_trip_ms(self, *, limit_s: float) -> float:
        return 1.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)")
        yield stack


@pytest.fixture
def preflight(stack: Stack) -> Preflight:
    """Where every test begins: what the one before took back has reached every process, and the
    standby streams again."""
    made = Preflight(
        nodes=make_nodes(stack.settings, "bg_health"),
        read_pooler=lambda: read_pooler(stack.settings),
        door=QuickDoor(),
        observations=Notes(),
        application_role="app",
        exempt=("postgres",),
        now=lambda: datetime.now(UTC),
    )
    until(lambda: passes(made), limit_s=30, what="preflight passes while nothing is wrong")
    return made


def passes(preflight: Preflight) -> bool:
    with suppress(Refused):
        done(preflight, a_job(id=f"before {time.monotonic()}"))
        return True
    return False


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


def refused_within(preflight: Preflight, *, limit_s: float) -> Refused:
    """A reload takes a moment until every process knows of it."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            done(preflight, JOB.model_copy(update={"id": f"job {time.monotonic()}"}))
        except Refused as refusal:
            return refusal
        assert time.monotonic() < deadline, "preflight goes on passing"


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


def test_a_pooler_that_would_not_hold_clients_is_refused(
    stack: Stack, preflight: Preflight
) -> None:
    with console(stack.settings) as pooler:
        pooler.execute(b"SET pool_mode = session")
        try:
            with pytest.raises(Refused, match="expected transaction pooling, found session"):
                done(preflight, JOB)
        finally:
            pooler.execute(b"SET pool_mode = transaction")
    with pytest.raises(Refused, match="query_wait_timeout"):
        done(preflight, a_job(options={"max_stall_ms": 60_000}))


def test_a_wrong_password_of_the_pooler_is_said_before_anything_begins(
    stack: Stack, preflight: Preflight, tmp_path: Path
) -> None:
    """By preflight, and by a cutover before its pause: nobody is held."""
    secrets = tmp_path / "secrets"
    shutil.copytree(stack.settings.secrets_dir, secrets)
    (secrets / stack.settings.pooler.admin_user).write_text("wrong")
    settings = stack.settings.model_copy(update={"secrets_dir": secrets})
    with pytest.raises(Refused, match="the pooler's admin console to answer, found nobody"):
        done(replace(preflight, read_pooler=lambda: read_pooler(settings)), JOB)
    nodes = make_nodes(settings, "bg_proxy")
    switch = Switch(nodes, PgBouncer(settings), SymlinkDoor(settings), watchdogs(settings))
    with pytest.raises(Transient, match=r"admin console: .*(SASL|password) authentication failed"):
        switch.run(Order(JOB.id, Way.FORWARD, Colour.BLUE, True, 500))
    assert not PgBouncer(stack.settings).is_paused()


def warnings_within(preflight: Preflight, says: str, *, limit_s: float = 5) -> list[str]:
    """What a job that may begin carries with it; looks until the warning is among them."""
    deadline = time.monotonic() + limit_s
    while True:
        job = JOB.model_copy(update={"id": f"job {time.monotonic()}"})
        warnings = list(done(preflight, job).facts["warnings"])
        if any(re.search(says, warning) for warning in warnings):
            return warnings
        assert time.monotonic() < deadline, (says, warnings)


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


def past_the_doors(stack: Stack, application: str = "") -> psycopg.Connection:
    port = stack.settings.nodes[Colour.BLUE].port
    return psycopg.connect(stack.doors["app"], port=port, application_name=application)


def test_sessions_past_the_doors_are_refused_unless_the_settings_name_them(
    stack: Stack, preflight: Preflight
) -> None:
    with (
        past_the_doors(stack, "reports") as bypassing,
        psycopg.connect(stack.doors["app"]) as pooled,
        psycopg.connect(stack.doors["direct"]) as direct,
    ):
        for connection in (bypassing, pooled, direct):
            connection.execute("SELECT 1")
        with pytest.raises(Refused, match=r"1 sessions came .*\(app from 127\.0\.0\.1 \(reports"):
            done(preflight, JOB)
        done(replace(preflight, exempt_applications=("reports",)), JOB)
        done(replace(preflight, exempt=("postgres", "app"), observations=Notes()), JOB)


def test_long_transactions_and_what_sessions_of_the_pool_hold_are_warned_of(
    stack: Stack, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.health_monitor.server_facts.LONG_S", 0.0)
    with psycopg.connect(stack.doors["direct"]) as direct:
        direct.execute("SELECT pg_advisory_lock(7)")
        warnings = warnings_within(preflight, r"^\d transactions are open for long")
        assert not any("in the pool, found" in warning for warning in warnings)
        with psycopg.connect(stack.doors["app"], autocommit=True) as pooled:
            pooled.execute("SELECT pg_advisory_lock(8)")
            warnings_within(preflight, r"in the pool, found .*a session lock of app")
            pooled.execute("SELECT pg_advisory_unlock_all()")
            pooled.execute("LISTEN news")
            warnings_within(preflight, r"in the pool, found .*LISTEN of app")
            pooled.execute("UNLISTEN *")
            pooled.execute("CREATE TEMP TABLE basket (n int)")
            warnings_within(preflight, r"in the pool, found .*a temporary table of app")
            pooled.execute("DROP TABLE basket")


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


def test_what_sessions_of_the_pool_keep_is_warned_of(stack: Stack, preflight: Preflight) -> None:
    with (
        psycopg.connect(stack.doors["app"], autocommit=True) as pooled,
        psycopg.connect(stack.doors["direct"], autocommit=True) as direct,
    ):
        direct.execute("LISTEN news")
        pooled.execute("SELECT pg_advisory_lock(7)")
        warnings = done(preflight, JOB).facts["warnings"]
        pooled.execute("SELECT pg_advisory_unlock_all()")
    assert any("no state of a session in the pool, found a session lock of app" in w
               for w in warnings)  # fmt: skip

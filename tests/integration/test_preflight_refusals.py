"""Each thing that preflight refuses is brought about on real servers, and refused with a remedy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from shared.adapters.node_factory import make_nodes
from shared.adapters.pgbouncer import console
from shared.adapters.pooler_facts import read_pooler
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.kinds import Kind
from tests.support.cluster import postgres
from tests.support.paper_stack import prepare, settings_over
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from workers.health_monitor.rules import findings
from workers.health_monitor.server_facts import read_server
from workers.health_monitor.snapshot import Snapshot
from workers.health_monitor.steps.preflight import Preflight

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
    return Preflight(
        nodes=make_nodes(stack.settings, "bg_health"),
        read_pooler=lambda: read_pooler(stack.settings),
        door=QuickDoor(),
        observations=Notes(),
        application_role="app",
        exempt=("postgres",),
        now=lambda: datetime.now(UTC),
    )


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
    ids=["identity", "large objects", "unlogged", "triggers", "subscriptions", "slots",
         "databases", "superuser", "synchronous"],
)  # fmt: skip
def test_what_the_fork_or_the_sync_cannot_carry_is_refused(
    stack: Stack, preflight: Preflight, change: list[str], back: list[str], says: str
) -> None:
    with made_so(stack, change, back):
        refusal = refused_within(preflight, limit_s=5)
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


def test_a_standby_that_is_down_is_refused(stack: Stack, preflight: Preflight) -> None:
    green = make_nodes(stack.settings, "bg_health")[Colour.GREEN].driver
    green.stop(limit_s=20)
    try:
        refusal = refused_within(preflight, limit_s=5)
    finally:
        green.start(limit_s=30)
    assert "expected the standby on green, found no server there" in refusal.message
    assert "found nobody" in refusal.message


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


def test_sessions_past_the_doors_and_long_transactions_are_warned_of(
    stack: Stack, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.health_monitor.server_facts.LONG_S", 0.0)
    node = stack.settings.nodes[Colour.BLUE]
    past = psycopg.conninfo.make_conninfo(stack.doors["app"], port=node.port)
    with (
        psycopg.connect(past) as bypassing,
        psycopg.connect(stack.doors["app"]) as pooled,
        psycopg.connect(stack.doors["direct"]) as direct,
    ):
        bypassing.execute("SELECT 1")
        pooled.execute("SELECT 1")
        direct.execute("SELECT 1")
        warnings = done(preflight, JOB).facts["warnings"]
    assert any(
        w.startswith("1 sessions came past the doors (app from 127.0.0.1)") for w in warnings
    )
    assert any(w.startswith("3 transactions are open for long") for w in warnings)


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


def test_a_server_that_cannot_replicate_or_rewind_is_refused(tmp_path: Path) -> None:
    with postgres(
        15, cluster_name="blue", wal_level="replica", wal_log_hints="off",
        max_replication_slots="2", max_wal_senders="2", max_logical_replication_workers="1",
        max_prepared_transactions="1", archive_mode="on", archive_command="true",
    ) as server:  # fmt: skip
        prepare(server)
        settings = settings_over(tmp_path, server, server)
        with server.connect("app") as connection:
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
            connection.execute("PREPARE TRANSACTION 'left over'")
        driver = make_nodes(settings, "bg_health")[Colour.BLUE].driver
        node = PostgresNode(settings, Colour.BLUE, "bg_health", driver)
        facts = read_server(node, exempt=("postgres",))
        with server.connect("app") as connection:
            connection.execute("ROLLBACK PREPARED 'left over'")
    alone = Snapshot(Colour.BLUE, {Colour.BLUE: facts}, None, "app", 1.0)
    found = {rule for rule, _ in findings(alone, Kind.RISKY)}
    assert found >= {
        "standby", "streaming", "wal_level", "rewindable", "free_slots", "apply_workers",
        "archiving", "prepared_transactions", "pooler_present",
    }  # fmt: skip

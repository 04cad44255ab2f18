"""What a server or the pooler has only so much of: told before it ends, and when there is more."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import psycopg
import pytest

from shared.adapters.drivers.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.ports import Measuring
from tests.support.disturbances import at_work, connections
from tests.support.stack import Stack, running_stack
from tests.support.wait import until
from tests.support.watched import Watching

OF_THE_POOL = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def empty_pool(stack: Stack) -> None:
    """The pooler keeps the server connections of a test before; what they take counts here."""
    admin = stack.doors["pgbouncerAdmin"]
    with closing(psycopg.connect(admin, autocommit=True, prepare_threshold=None)) as pooler:
        pooler.execute("RECONNECT")
    with stack.connect("blue") as blue:
        until(
            lambda: blue.execute(OF_THE_POOL).fetchone() == (0,), limit_s=10, what="an empty pool"
        )


def test_connections_near_their_limit_are_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"full_share": 0.25})
    watched.is_well("blue.connections")
    with connections(stack, "blue", 40):
        watched.raises("blue.connections")
    watched.clears("blue.connections")


def test_clients_near_max_client_conn_are_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"full_share": 0.02})
    watched.is_well("pooler.clients")
    with connections(stack, "app", 25):
        watched.raises("pooler.clients")
    watched.clears("pooler.clients")


def test_clients_that_wait_for_a_server_connection_are_told(watch: Watching, stack: Stack) -> None:
    """The pool has 40 server connections; one client more waits."""
    watched = watch()
    watched.is_well("pooler.waiting")
    with ExitStack() as held:
        for _ in range(40):
            busy = held.enter_context(psycopg.connect(stack.doors["app"]))
            busy.execute("SELECT 1")  # and the transaction stays open
        waiting = threading.Thread(target=_one_query, args=(stack.doors["app"],))
        waiting.start()
        try:
            watched.raises("pooler.waiting")
        finally:
            held.close()
            waiting.join(20)
    watched.clears("pooler.waiting")


def _one_query(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")


def test_wal_senders_that_are_all_taken_are_told(watch: Watching, stack: Stack) -> None:
    watched = watch()
    watched.is_well("blue.wal_senders")
    node = stack.settings.nodes[Colour.BLUE]
    secret = stack.settings.secret("bg_repl_blue")
    dsn = f"host={node.host} port={node.port} user=bg_repl_blue password={secret} replication=true"
    with ExitStack() as held:
        with suppress(psycopg.OperationalError):
            for _ in range(25):
                held.enter_context(psycopg.connect(dsn, autocommit=True))
        watched.raises("blue.wal_senders")
    watched.clears("blue.wal_senders")


def test_replication_slots_that_are_all_taken_are_told(watch: Watching, stack: Stack) -> None:
    watched = watch()
    watched.is_well("blue.replication_slots")
    with stack.connect("blue") as blue:
        try:
            with suppress(psycopg.errors.ConfigurationLimitExceeded):
                for number in range(25):
                    blue.execute("SELECT pg_create_physical_replication_slot(%s)", (f"s{number}",))
            watched.raises("blue.replication_slots")
        finally:
            blue.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE slot_name LIKE 's%'"
            )
    watched.clears("blue.replication_slots")


def test_a_server_that_takes_much_memory_is_told(watch: Watching, stack: Stack) -> None:
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    assert isinstance(driver, Measuring)
    now = driver.load()
    share = (now.memory_bytes + (150 << 20)) / now.memory_total_bytes
    watched = watch(limits={"server_memory_share": share, "memory_share": 1.0})
    watched.is_well("blue.memory")
    greedy = "DO $$DECLARE x text := repeat('x', 300 << 20); BEGIN PERFORM pg_sleep(120); END$$"
    with at_work(stack.doors["blue"], greedy):
        watched.raises("blue.memory")
    watched.clears("blue.memory")


def test_a_host_whose_memory_is_taken_by_others_is_told(watch: Watching, stack: Stack) -> None:
    """Here by the test itself: three gigabytes of touched memory, with room for what else runs."""
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    assert isinstance(driver, Measuring)
    now = driver.load()
    taken = 1 - (now.memory_available_bytes - (3 << 29)) / now.memory_total_bytes
    watched = watch(limits={"memory_share": taken, "server_memory_share": 1.0})
    watched.is_well("blue.memory")
    held = bytearray(b"x") * (3 << 30)
    watched.raises("blue.memory")
    del held
    watched.clears("blue.memory")


def test_a_server_that_takes_much_processor_time_is_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"full_share": 0.05})
    watched.looks_until(lambda: "blue.cpu" in watched.last, between_s=0.5)
    counting = "SELECT count(*) FROM generate_series(1, 1e12::bigint)"
    with ExitStack() as busy:
        for _ in range(4):  # whatever else the host does, their share of it is enough
            busy.enter_context(at_work(stack.doors["blue"], counting))
        watched.raises("blue.cpu", between_s=0.5)
    watched.clears("blue.cpu", between_s=0.5)


def test_a_disk_that_fills_is_told(watch: Watching, stack: Stack) -> None:
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    watched = watch(limits={"disk_free_bytes": driver.free_disk_bytes() - (2 << 30)})
    watched.is_well("blue.disk")
    filler = stack.state_dir / "filler"
    try:
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 4 << 30)
        watched.raises("blue.disk")
    finally:
        filler.unlink(missing_ok=True)
    watched.clears("blue.disk")


def test_a_slot_that_keeps_much_wal_is_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"retained_share": 1e-5})
    with stack.connect("blue") as blue:
        blue.execute("SELECT pg_create_physical_replication_slot('left_behind', true)")
        try:
            blue.execute(
                "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 9000)"
            )
            watched.raises("blue.retained_wal")
        finally:
            blue.execute("SELECT pg_drop_replication_slot('left_behind')")
            blue.execute("DROP TABLE filler")
    watched.clears("blue.retained_wal")


def follows(blue: psycopg.Connection) -> bool:
    """Whether the standby's slot holds no segment but the one that is written now."""
    found = blue.execute(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) < 100000"
        " FROM pg_replication_slots WHERE active"
    ).fetchall()
    return found == [(True,)]


def test_a_slot_that_lost_its_wal_is_told(watch: Watching, stack: Stack) -> None:
    """PostgreSQL then forgets where it stood: it must not pass for one that keeps nothing."""
    watched = watch()
    watched.is_well("blue.retained_wal")
    with stack.connect("blue") as blue:
        blue.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        blue.execute("SELECT pg_reload_conf()")
        blue.execute("SELECT pg_create_physical_replication_slot('left_behind', true)")
        try:
            for _ in range(4):
                blue.execute("SELECT pg_logical_emit_message(false, 'test', 'x')")
                blue.execute("SELECT pg_switch_wal()")
            until(lambda: follows(blue), limit_s=20, what="the standby holds no WAL back")
            blue.execute("CHECKPOINT")
            watched.raises("blue.retained_wal")
            assert "slots that lost WAL: left_behind" in watched.last["blue.retained_wal"].sentence
        finally:
            blue.execute("SELECT pg_drop_replication_slot('left_behind')")
            blue.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            blue.execute("SELECT pg_reload_conf()")
    watched.clears("blue.retained_wal")

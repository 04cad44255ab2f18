"""Each check on real servers: what makes its alert fire, and that it clears when that is over."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.embedded.accounts import account
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from tests.support.stack import Stack, running_stack
from tests.support.watched import RAISED, Watched, watching

Watching = Callable[..., Watched]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def watch(stack: Stack, tmp_path: Path) -> Iterator[Watching]:
    """Makes a monitor with these settings."""
    with ExitStack() as all_of_them:
        yield lambda **monitor: all_of_them.enter_context(watching(stack, tmp_path, **monitor))


@contextmanager
def away(stack: Stack, child: str) -> Iterator[None]:
    control = ControlFiles(Layout(stack.state_dir).supervisor)
    control.want(child, "stopped at once")
    try:
        yield
    finally:
        control.want(child, "running")


@contextmanager
def connections(stack: Stack, door: str, number: int, **more: str) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(number):
            held.enter_context(psycopg.connect(stack.doors[door], autocommit=True, **more))
        yield


@pytest.mark.parametrize(
    ("child", "check"),
    [
        ("green", "green.available"),
        ("redis", "redis.available"),
        ("pgbouncer", "door.pooled"),
        ("pgbouncer", "pooler.console"),
        ("nginx", "door.direct"),
        ("control", "control.available"),
    ],
)
def test_what_is_away_is_told_and_so_is_its_return(
    watch: Watching, stack: Stack, child: str, check: str
) -> None:
    watched = watch()
    watched.is_well(check)
    with away(stack, child):
        watched.raises(check)
    watched.clears(check)


def test_a_frozen_server_is_told_though_its_port_still_answers(
    watch: Watching, stack: Stack
) -> None:
    watched = watch()
    watched.is_well("green.available")
    pid = stack.pid("green")
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    frozen = [pid, *(int(child) for child in children)]
    for each in frozen:
        os.kill(each, signal.SIGSTOP)
    try:
        watched.raises("green.available")
    finally:
        for each in frozen:
            os.kill(each, signal.SIGCONT)
    watched.clears("green.available")


@contextmanager
def slow(pid: int) -> Iterator[None]:
    """That process runs for a twentieth of the time."""
    over = threading.Event()

    def stutter() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(0.2)
            os.kill(pid, signal.SIGCONT)
            over.wait(0.01)

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def test_a_slow_door_is_told_by_its_response_time(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"response_ms": 250})
    watched.is_well("door.response_time")
    pid = stack.pid("pgbouncer")
    assert pid is not None
    with slow(pid):
        watched.raises("door.response_time")
    watched.clears("door.response_time")


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


@contextmanager
def at_work(dsn: str, query: str) -> Iterator[None]:
    """A session that runs this until it is cancelled."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def run() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                connection.execute(query)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            while thread.is_alive():
                connection.cancel()
                thread.join(0.2)


def test_a_server_that_takes_much_memory_is_told(watch: Watching, stack: Stack) -> None:
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    now = driver.load()  # type: ignore[attr-defined]
    share = (now.memory_bytes + (150 << 20)) / now.memory_total_bytes
    watched = watch(limits={"server_memory_share": share, "memory_share": 1.0})
    watched.is_well("blue.memory")
    greedy = "DO $$DECLARE x text := repeat('x', 300 << 20); BEGIN PERFORM pg_sleep(120); END$$"
    with at_work(stack.doors["blue"], greedy):
        watched.raises("blue.memory")
    watched.clears("blue.memory")


def test_a_server_that_takes_much_processor_time_is_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"full_share": 0.05})
    watched.looks_until(lambda: "blue.cpu" in watched.last, between_s=0.5)
    with at_work(stack.doors["blue"], "SELECT count(*) FROM generate_series(1, 1e12::bigint)"):
        watched.raises("blue.cpu", between_s=0.5)
    watched.clears("blue.cpu", between_s=0.5)


def test_a_disk_that_fills_is_told(watch: Watching, stack: Stack) -> None:
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    watched = watch(limits={"disk_free_bytes": driver.free_disk_bytes() - (1 << 30)})
    watched.is_well("blue.disk")
    filler = stack.state_dir / "filler"
    try:
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 2 << 30)
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


@contextmanager
def paused_standby(stack: Stack) -> Iterator[psycopg.Connection]:
    """Green replays nothing; a session on blue, with a table to write to."""
    with stack.connect("green") as green, stack.connect("blue") as blue:
        blue.execute("CREATE TABLE written (text text)")
        green.execute("SELECT pg_wal_replay_pause()")
        try:
            yield blue
        finally:
            green.execute("SELECT pg_wal_replay_resume()")
            blue.execute("DROP TABLE written")


WRITE = "INSERT INTO written SELECT repeat('x', 1000) FROM generate_series(1, 3000)"


def test_a_standby_that_lags_is_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"lag_bytes": 1 << 20})
    watched.is_well("replication.lag")
    with paused_standby(stack) as blue:
        blue.execute(WRITE)
        watched.raises("replication.lag")
    watched.clears("replication.lag")


def test_a_lag_that_grows_is_told_before_it_is_too_much(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"lag_grows_s": 2})
    watched.is_well("replication.trend")
    with paused_standby(stack) as blue:

        def more() -> bool:
            blue.execute(WRITE)
            return watched.stream.types("replication.trend") == [RAISED]

        watched.looks_until(more)
        assert watched.last["replication.lag"].healthy
    watched.clears("replication.trend")


def test_a_standby_that_does_not_stream_is_told(watch: Watching, stack: Stack) -> None:
    """It runs and cannot reach the active side: its replication role may not log in."""
    watched = watch()
    watched.is_well("standby.streaming")
    with stack.connect("blue") as blue:
        blue.execute("ALTER ROLE bg_repl_blue NOLOGIN")
        try:
            blue.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            watched.raises("standby.streaming")
        finally:
            blue.execute("ALTER ROLE bg_repl_blue LOGIN")
    watched.clears("standby.streaming")


def test_a_schema_that_was_changed_by_hand_is_told_until_it_is_put_back(
    watch: Watching, stack: Stack
) -> None:
    watched = watch(slow_period_s=0)
    with stack.connect("blue") as blue:
        watched.is_well("schema.consistent")
        blue.execute("CREATE TABLE by_hand ()")
        try:
            watched.raises("schema.consistent")
        finally:
            blue.execute("DROP TABLE by_hand")
        watched.clears("schema.consistent")


def test_a_schema_that_changes_while_a_job_has_it_frozen_is_told(
    watch: Watching, stack: Stack
) -> None:
    from shared.adapters.control.store import PostgresControlStore
    from shared.adapters.health.schema import NAME
    from shared.sql.fingerprint import FINGERPRINT

    watched = watch(slow_period_s=0)
    job = PostgresControlStore(watched.database).submit(
        database="app", kind=Kind.RISKY, file_name="frozen.sql", sql="SELECT 1",
        options=RunOptions(), source=Colour.BLUE, requested_by="test",
    )  # fmt: skip
    with stack.connect("blue") as blue:
        frozen = blue.execute(FINGERPRINT).fetchone()
        assert frozen is not None
        watched.sql("UPDATE bluegreen_control.job SET phase = 'forward' WHERE id = %s", job)
        watched.sql(
            "INSERT INTO bluegreen_control.fact (job, step, body) "
            "VALUES (%s, 'freeze_schema', jsonb_build_object('fingerprint', %s::text))",
            job, frozen[0],
        )  # fmt: skip
        try:
            watched.is_well(NAME)
            blue.execute("CREATE TABLE got_past ()")
            watched.raises(NAME)
            blue.execute("DROP TABLE got_past")
            watched.clears(NAME)
        finally:
            blue.execute("DROP TABLE IF EXISTS got_past")
            watched.sql("UPDATE bluegreen_control.job SET ended_at = now(), outcome = 'completed'")
            watched.sql("UPDATE bluegreen_control.lease SET job = NULL")


@pytest.mark.parametrize(("taken_h", "verified_h"), [(2, None), (40, 30)])
def test_a_rollback_point_without_a_fresh_proof_is_told(
    watch: Watching, taken_h: int, verified_h: int | None
) -> None:
    watched = watch()
    now = datetime.now(UTC)
    verified = None if verified_h is None else now - timedelta(hours=verified_h)
    watched.is_well("rollback_point.verified")
    try:
        watched.sql(
            "INSERT INTO bluegreen_control.rollback_point "
            "(name, job, database, scope, taken_at, verified_at, unused, rows, stored_bytes) "
            "VALUES ('rollback-x', 'x', 'app', 'schema', %s, %s, false, 0, 0)",
            now - timedelta(hours=taken_h), verified,
        )  # fmt: skip
        watched.raises("rollback_point.verified")
        watched.sql("UPDATE bluegreen_control.rollback_point SET verified_at = clock_timestamp()")
        watched.clears("rollback_point.verified")
    finally:
        watched.sql("DELETE FROM bluegreen_control.rollback_point")


def write_certificate(place: Path, owner: str | None, *, days: float) -> None:
    """A certificate of its own, and its key, as the server wants them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "blue")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for path, content in (
        (place / "server.crt", certificate.public_bytes(pem)),
        (place / "server.key", private),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        if owner is not None:
            account(owner).own(path)


def test_a_certificate_that_ends_soon_is_told(watch: Watching, stack: Stack) -> None:
    node = stack.settings.nodes[Colour.BLUE]
    assert node.conf_dir is not None
    watched = watch(slow_period_s=0)
    watched.look()
    assert "certificate.blue" not in watched.last
    conf = node.conf_dir / "postgresql.conf"
    plain = conf.read_text()
    driver = make_nodes(stack.settings, "bg_health")[Colour.BLUE].driver
    try:
        write_certificate(node.conf_dir, node.run_as, days=-1)
        conf.write_text(
            f"{plain}ssl = on\nssl_cert_file = '{node.conf_dir}/server.crt'\n"
            f"ssl_key_file = '{node.conf_dir}/server.key'\n"
        )
        driver.reload()
        watched.raises("certificate.blue")
        assert watched.last["certificate.blue"].severity == "critical"
        write_certificate(node.conf_dir, node.run_as, days=90)
        driver.reload()
        watched.clears("certificate.blue")
    finally:
        conf.write_text(plain)
        driver.reload()


def test_a_new_class_of_errors_in_a_servers_log_is_told_until_it_is_quiet(
    watch: Watching, stack: Stack
) -> None:
    watched = watch(log_quiet_s=3)
    watched.is_well("log.errors")
    with stack.connect("app") as app:
        for _ in range(2):
            with pytest.raises(psycopg.errors.DivisionByZero):
                app.execute("SELECT 1/0")
        watched.raises("log.errors")
        assert "22012" in watched.last["log.errors"].sentence
        watched.clears("log.errors")
        # A failed login is FATAL and of another class.
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(stack.doors["blue"], password="wrong")
        watched.looks_until(lambda: watched.stream.types("log.errors")[2:] == [RAISED])
        assert "FATAL 28P01" in watched.last["log.errors"].sentence


def test_a_class_of_errors_that_is_known_is_no_news(watch: Watching, stack: Stack) -> None:
    watched = watch()
    watched.look()
    with stack.connect("app") as app, pytest.raises(psycopg.errors.UndefinedTable):
        app.execute("SELECT FROM nowhere")
    watched.raises("log.errors")
    watched.sql("UPDATE bluegreen_control.error_class SET first_at = now() - interval '1 hour'")
    watched.clears("log.errors")
    with stack.connect("app") as app, pytest.raises(psycopg.errors.UndefinedTable):
        app.execute("SELECT FROM nowhere")
    for _ in range(3):
        watched.look()
    assert watched.last["log.errors"].healthy


def test_connections_that_lead_nowhere_are_told_from_the_access_log(
    watch: Watching, stack: Stack
) -> None:
    """nginx answers, and its way on to the pooler is closed."""
    watched = watch()
    watched.is_well("door.access_log")
    with away(stack, "pgbouncer"):
        watched.raises("door.access_log")
    watched.clears("door.access_log", between_s=0.3)


def test_an_agent_that_runs_no_task_is_told_by_its_name(watch: Watching, stack: Stack) -> None:
    watched = watch(agent_limit_s=2)
    control = ControlFiles(Layout(stack.state_dir).supervisor)
    control.want("validator", "running")
    try:
        watched.looks_until(lambda: watched.last.get("agent.validator") is not None and
                            watched.last["agent.validator"].healthy)  # fmt: skip
        watched.looks_until(lambda: watched.stream.types("agent.backup") == [RAISED])
        told = len(watched.stream.types("agent.validator"))
        with away(stack, "validator"):
            watched.looks_until(
                lambda: watched.stream.types("agent.validator")[told:][-1:] == [RAISED]
            )
        watched.looks_until(lambda: watched.stream.types("agent.validator")[-1] == "AlertCleared")
    finally:
        control.want("validator", "stopped at once")


def test_an_audit_row_that_was_changed_is_told(watch: Watching) -> None:
    watched = watch(slow_period_s=0)
    watched.sql("SELECT bluegreen_control.append_audit('test', 'look', '{}')")
    watched.is_well("audit.chain")
    watched.sql("UPDATE bluegreen_control.audit SET actor = 'nobody' WHERE actor = 'test'")
    watched.raises("audit.chain")
    watched.sql("UPDATE bluegreen_control.audit SET actor = 'test' WHERE actor = 'nobody'")
    watched.clears("audit.chain")


def test_two_writable_sides_are_told_until_one_is_fenced(tmp_path: Path) -> None:
    """Green stops following and is open: both would take writes."""
    with running_stack() as stack, watching(stack, tmp_path) as watched:
        watched.is_well("sides.one_writable")
        with stack.connect("green") as green:
            green.execute("SELECT pg_promote()")
            watched.raises("sides.one_writable")
            green.execute("SELECT bluegreen.fence()")
        watched.clears("sides.one_writable")

"""Schema, rollback points, certificates, logs, audit: what traffic itself does not show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.embedded.accounts import account
from shared.adapters.health.schema import NAME
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.sql.fingerprint import FINGERPRINT
from tests.support.stack import Stack, running_stack
from tests.support.watched import RAISED, Watching


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


def test_a_schema_that_was_changed_by_hand_is_told_until_it_is_put_back(
    watch: Watching, stack: Stack
) -> None:
    watched = watch(slow_period_s=0.001)
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
    watched = watch(slow_period_s=0.001)
    with stack.connect("blue") as blue, watched.live_job(Kind.RISKY, "catch_up") as job:
        frozen = blue.execute(FINGERPRINT).fetchone()
        assert frozen is not None
        watched.sql(
            "INSERT INTO bluegreen_control.fact (job, step, body) "
            "VALUES (%s, 'freeze_schema', jsonb_build_object('fingerprint', %s::text))",
            job, frozen[0],
        )  # fmt: skip
        watched.is_well(NAME)
        try:
            blue.execute("CREATE TABLE got_past ()")
            watched.raises(NAME)
            assert watched.last[NAME].severity == "critical"
        finally:
            blue.execute("DROP TABLE IF EXISTS got_past")
        watched.clears(NAME)


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
    watched = watch(slow_period_s=0.001)
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
        write_certificate(node.conf_dir, node.run_as, days=5)
        driver.reload()
        watched.looks_until(lambda: "in 5 days" in watched.last["certificate.blue"].sentence)
        assert not watched.last["certificate.blue"].healthy
        assert watched.last["certificate.blue"].severity == "warning"
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


def test_an_audit_row_that_was_changed_is_told(watch: Watching) -> None:
    watched = watch(slow_period_s=0.001)
    watched.sql("SELECT bluegreen_control.append_audit('test', 'look', '{}')")
    watched.is_well("audit.chain")
    watched.sql("UPDATE bluegreen_control.audit SET actor = 'nobody' WHERE actor = 'test'")
    watched.raises("audit.chain")
    watched.sql("UPDATE bluegreen_control.audit SET actor = 'test' WHERE actor = 'nobody'")
    watched.clears("audit.chain")

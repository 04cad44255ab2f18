"""A PostgreSQL server that was there before the stack is its active side.

Here it is a plain container outside, and the stack is a second one on the same host.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from shared.adapters.compose.certificates import Authority, Pair
from tests.support.cluster import free_port
from tests.support.compose_stack import CONTROLLER, FILE, ComposeStack
from tests.support.container_engine import ROOT

PROJECT, SERVER = "bluegreen-e2e-beside", "bluegreen-e2e-existing"
OVERRIDE = ROOT / "compose/existing-database.yml"
NAME = "production"
"""cluster_name of the server."""
SECRETS = {"DB_PASSWORD_FILE": "of-the-administrator", "DB_APP_PASSWORD_FILE": "of-the-shop"}
STARTED_AS_ITS_OWN_USER = """
install -o postgres -g postgres -m 600 /given/server.key /tmp/server.key
exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/given/server.crt \
  -c ssl_key_file=/tmp/server.key -c cluster_name=production
"""


@dataclass
class Existing:
    """The server: `postgres`, with the role `shop` and its database."""

    stack: ComposeStack
    host: str
    port: int
    folder: Path

    def sql(self, query: str) -> str:
        said = self.stack.docker("exec", SERVER, "psql", "-U", "postgres", "-d", "shop",
                                 "-XAtc", query)  # fmt: skip
        assert said.code == 0, said.err
        return said.out.strip()

    @property
    def settings(self) -> dict[str, str]:
        """What a user writes into `.env`."""
        for name, secret in SECRETS.items():
            (self.folder / name).write_text(secret, encoding="utf-8")
        return {
            "DB_HOST": self.host, "DB_PORT": str(self.port), "DB_NAME": "shop",
            "DB_USER": "postgres", "DB_APP_USER": "shop", "DB_CLUSTER_NAME": NAME,
            "DB_CA_FILE": str(self.folder / "given/ca.crt"),
            **{name: str(self.folder / name) for name in SECRETS},
        }  # fmt: skip


@pytest.fixture(scope="module")
def existing(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Existing]:
    """Reached as the host is: by the address that it has for containers."""
    folder = tmp_path_factory.mktemp("existing")
    gateway = stack.docker("network", "inspect", "bridge", "-f",
                           "{{(index .IPAM.Config 0).Gateway}}").out.strip()  # fmt: skip
    given = folder / "given"
    authority = Authority(folder / "authority")
    given.mkdir()
    authority.issue(Pair(given / "server.crt", given / "server.key"), [gateway, "migration-proxy"])
    shutil.copy(authority.files.certificate, given / "ca.crt")
    found = Existing(stack, gateway, free_port(), folder)
    with suppress(AssertionError):
        stack.docker("rm", "-f", SERVER)
    said = stack.docker(
        "run", "-d", "--name", SERVER, "-p", f"{found.port}:5432", "-v", f"{given}:/given:ro",
        "-e", f"POSTGRES_PASSWORD={SECRETS['DB_PASSWORD_FILE']}", "--entrypoint", "sh",
        "postgres:17-trixie", "-c", STARTED_AS_ITS_OWN_USER,
    )  # fmt: skip
    assert said.code == 0, said.err
    try:
        _fill(found)
        yield found
    finally:
        stack.docker("rm", "-f", "-v", SERVER)


def _fill(server: Existing) -> None:
    dsn = (
        f"postgresql://postgres:{SECRETS['DB_PASSWORD_FILE']}@{server.host}:{server.port}/postgres"
        f"?sslmode=verify-full&sslrootcert={server.folder}/given/ca.crt"
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True) as session:
                secret = SECRETS["DB_APP_PASSWORD_FILE"]
                session.execute(f"CREATE ROLE shop LOGIN PASSWORD '{secret}'")
                session.execute("CREATE DATABASE shop OWNER shop")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, server.stack.docker("logs", SERVER).err[-2000:]
            time.sleep(0.3)
    server.sql("SET ROLE shop; CREATE TABLE orders (id bigint PRIMARY KEY, note text);"
               "INSERT INTO orders SELECT n, 'old' FROM generate_series(1, 1000) AS n")  # fmt: skip


@pytest.fixture(scope="module")
def beside(existing: Existing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    folder = tmp_path_factory.mktemp("beside")
    ports = ("BLUEGREEN_POOLED_PORT", "BLUEGREEN_DIRECT_PORT", "BLUEGREEN_FLOWER_PORT")
    environment = {k: v for k, v in existing.stack.environment.items() if k not in ports}
    found = ComposeStack(environment | existing.settings, folder, PROJECT,
                         files=(FILE, OVERRIDE))  # fmt: skip
    try:
        found.up()
        yield found
    finally:
        found.down("-v", "--remove-orphans")


def test_the_doctor_finds_the_existing_server_and_every_check_holds(beside: ComposeStack) -> None:
    said = beside.execute(CONTROLLER, "bluegreen", "doctor", "--json")
    assert said.code == 0, said.out
    checks = {check["name"]: check["sentence"] for check in said.body["checks"]}
    assert "leads shop to production" in checks["pooled door"]
    assert "leads shop to production" in checks["direct door"]
    assert "existing server" in checks["blue"]


def test_a_safe_job_is_done_there_under_its_own_traffic_with_a_verified_rollback_point(
    existing: Existing, beside: ComposeStack
) -> None:
    """The application logs in with the password that it always had."""
    door = (
        f"postgresql://shop:{SECRETS['DB_APP_PASSWORD_FILE']}@localhost:"
        f"{beside.environment['BLUEGREEN_POOLED_PORT']}/shop"
        f"?sslmode=verify-full&sslrootcert={beside.authority}"
    )
    with psycopg.connect(door, autocommit=True, prepare_threshold=None) as application:
        application.execute("INSERT INTO orders VALUES (1001, 'through the door')")
        file = "ALTER TABLE orders ADD COLUMN paid boolean NOT NULL DEFAULT false;"
        beside.execute(CONTROLLER, "sh", "-c", "cat > /tmp/paid.sql", feed=file)
        said = beside.execute(CONTROLLER, "bluegreen", "run", "/tmp/paid.sql", "--json")
        assert said.code == 0, said.err
        application.execute("INSERT INTO orders VALUES (1002, 'with the new column', true)")
    assert existing.sql("SELECT count(*), count(*) FILTER (WHERE paid) FROM orders") == "1002|1"
    (point,) = beside.execute("backup", "bluegreen", "backups", "list", "--json").body["points"]
    assert point["verified"], point


def test_the_monitor_has_nothing_to_complain_of(beside: ComposeStack) -> None:
    said = beside.execute("health-monitor", "bluegreen", "health", "--json")
    assert said.code == 0, said.out


def test_a_risky_job_is_refused_and_says_what_is_missing(beside: ComposeStack) -> None:
    file = "ALTER TABLE orders DROP COLUMN note;"
    beside.execute(CONTROLLER, "sh", "-c", "cat > /tmp/risky.sql", feed=file)
    words = ("bluegreen", "run", "/tmp/risky.sql", "--type", "risky", "--yes")
    said = beside.execute(CONTROLLER, *words)
    assert said.code == 3, said.err
    assert "expected blue to reach green" in said.out + said.err


def test_nothing_keeps_wal_there_and_the_stacks_own_server_lets_nobody_write(
    existing: Existing, beside: ComposeStack
) -> None:
    assert existing.sql("SELECT count(*) FROM pg_replication_slots") == "0"
    can = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolcanlogin AND rolname !~ '^bg_'"
    assert beside.sql("postgres-green", can, "postgres") == "postgres"


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("DB_CLUSTER_NAME", "staging", "expected DB_CLUSTER_NAME to be 'production'"),
        ("DB_USER", "shop", "DB_USER and DB_PASSWORD_FILE"),
        ("DB_NAME", "elsewhere", "a database of that server in DB_NAME"),
        ("DB_APP_USER", "nobody", "expected DB_APP_USER"),
    ],
)
def test_a_server_that_does_not_suit_is_said_with_the_setting(
    beside: ComposeStack, setting: str, value: str, says: str
) -> None:
    said = _once(beside, "bootstrap", {setting: value})
    assert says in said, said
    assert "Traceback" not in said


def _once(stack: ComposeStack, service: str, settings: dict[str, str]) -> str:
    """Run a one-shot service again with other settings; what it says. It must fail."""
    other = ComposeStack(stack.environment | settings, stack.folder, stack.project,
                         files=stack.files)  # fmt: skip
    said = other.compose("run", "--rm", "--no-deps", "-T", service)
    assert said.code != 0
    return said.err

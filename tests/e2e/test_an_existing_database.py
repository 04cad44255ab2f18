"""A PostgreSQL server that was there before the stack is its active side.

Here it is a plain container outside, and the stack is a second one on the same host.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.compose_stack import CONTROLLER, FILE, ComposeJourney, ComposeStack
from tests.support.container_engine import ROOT
from tests.support.existing_server import SECRETS, Existing, existing_server
from tests.support.files import Pets
from tests.support.writers import TABLES, Writers

PROJECT = "bluegreen-e2e-beside"
FILES = (
    FILE, ROOT / "compose/existing-database.yml", ROOT / "compose/existing-database-risky.yml",
)  # fmt: skip
CUTOVER_LIMIT_S = 400
"""On a busy host a cutover gives up, harmlessly, until the marker crosses in time."""


@pytest.fixture(scope="module")
def existing(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Existing]:
    with existing_server(stack, tmp_path_factory.mktemp("existing")) as found:
        yield found


@pytest.fixture(scope="module")
def beside(existing: Existing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    folder = tmp_path_factory.mktemp("beside")
    ports = ("BLUEGREEN_POOLED_PORT", "BLUEGREEN_DIRECT_PORT", "BLUEGREEN_FLOWER_PORT")
    environment = {k: v for k, v in existing.stack.environment.items() if k not in ports}
    found = ComposeStack(environment | existing.settings, folder, PROJECT, files=FILES)
    try:
        found.up()
        yield found
    finally:
        found.down("-v", "--remove-orphans")


class Shop(ComposeJourney):
    """The application of that server, at the pooled door, with the password that it always had."""

    @property
    def doors(self) -> dict[str, str]:
        port = self.compose.environment["BLUEGREEN_POOLED_PORT"]
        door = (
            f"postgresql://shop:{SECRETS['DB_APP_PASSWORD_FILE']}@localhost:{port}/shop"
            f"?sslmode=verify-full&sslrootcert={self.compose.authority}"
        )
        return {"app": door, "direct": door}


@pytest.fixture(scope="module")
def shop(beside: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(beside, tmp_path_factory.mktemp("shop"))


def test_the_doctor_finds_the_existing_server_and_every_check_holds(beside: ComposeStack) -> None:
    said = beside.execute(CONTROLLER, "bluegreen", "doctor", "--json")
    assert said.code == 0, said.out
    checks = {check["name"]: check["sentence"] for check in said.body["checks"]}
    assert "leads shop to production" in checks["pooled door"]
    assert "leads shop to production" in checks["direct door"]
    assert "existing server" in checks["blue"]


def test_a_safe_job_is_done_there_under_its_own_traffic_with_a_verified_rollback_point(
    existing: Existing, beside: ComposeStack, shop: Shop
) -> None:
    with psycopg.connect(shop.doors["app"], autocommit=True, prepare_threshold=None) as application:
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
    """Of three looks at most, as it does: a busy host may keep one agent's answer too long."""
    looks = [beside.execute("health-monitor", "bluegreen", "health", "--json")]
    while looks[-1].code != 0 and len(looks) < 3:
        looks.append(beside.execute("health-monitor", "bluegreen", "health", "--json"))
    assert looks[-1].code == 0, [said.out for said in looks]


def test_a_maintenance_is_refused_and_says_what_is_missing(shop: Shop) -> None:
    path = shop.write("full.sql", "VACUUM FULL orders;")
    said = shop.bluegreen("run", str(path), "--type", "maintenance", "--yes")
    assert said.code == 3, said.err
    assert "only the address is known" in said.out + said.err


def test_nothing_keeps_wal_there_and_the_stacks_own_server_lets_nobody_write(
    existing: Existing, beside: ComposeStack
) -> None:
    assert existing.sql("SELECT count(*) FROM pg_replication_slots") == "0"
    can = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolcanlogin AND rolname !~ '^bg_'"
    assert beside.sql("postgres-green", can, "postgres") == "postgres"


def test_a_risky_job_goes_to_the_stacks_own_server_and_back_and_there(
    existing: Existing, beside: ComposeStack, shop: Shop
) -> None:
    pets = Pets("pets")
    shop.as_application(TABLES)
    shop.as_application(pets.table)
    with Writers(shop.doors["app"], count=4) as writers:
        job = shop.submit("pets.sql", pets.risky, "--type", "risky")
        shop.until_step(job, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
        shop.as_application("INSERT INTO pets (id, called, weight) VALUES (9001, 'there', 0.004)")
        writers.until_acknowledged(8)
        shop.bluegreen("rollback", job, "--yes")
        assert shop.until_ended(job, within_s=CUTOVER_LIMIT_S) == "rolled_back"
        assert existing.sql("SELECT label, weight FROM pets WHERE id = 9001") == "there|4"
        writers.until_acknowledged(8)
        again = shop.submit("pets.sql", pets.risky, "--type", "risky")
        shop.until_step(again, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
        assert shop.bluegreen("finish", again).code == 0
        assert shop.until_ended(again) == "completed"
        writers.until_acknowledged(8)
    assert writers.failed == []
    kept = beside.sql("postgres-green", "SELECT writer, n FROM journal", "shop").splitlines()
    assert {tuple(map(int, row.split("|"))) for row in kept} == writers.acknowledged
    assert existing.sql("SELECT count(*) FROM pg_replication_slots") == "0"
    beside.note("besideAnExistingServer", {"acknowledged": len(writers.acknowledged), "failed": 0,
                "lost": 0, "longestMs": round(writers.longest_ms())})  # fmt: skip


def test_the_server_that_was_left_is_closed_and_the_stack_comes_up_with_it(
    existing: Existing, beside: ComposeStack
) -> None:
    assert existing.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'shop'") == "f"
    said = beside.compose("run", "--rm", "--no-deps", "-T", "bootstrap")
    assert said.code == 0, said.err
    assert existing.sql("SELECT bluegreen.is_fenced()") == "t"
    said = beside.execute(CONTROLLER, "bluegreen", "doctor", "--json")
    assert said.code == 0, said.out


def test_passwords_changed_on_the_servers_are_taken_over_at_the_next_up(
    existing: Existing, beside: ComposeStack, shop: Shop
) -> None:
    """As docs/compose.md says: first where the login is, then the file, then `up`."""
    administrator, application = "another-one", "another-of-the-shop"
    existing.sql(f"ALTER ROLE postgres PASSWORD '{administrator}'")
    beside.sql("postgres-green", f"ALTER ROLE shop PASSWORD '{application}'", "shop")
    for name, secret in (("DB_PASSWORD_FILE", administrator),
                         ("DB_APP_PASSWORD_FILE", application)):  # fmt: skip
        Path(beside.environment[name]).write_text(secret, encoding="utf-8")
    of_an_agent = beside.secret("validator", "bg_validator")
    remove = (
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "prepare",
        "rm",
        "/stack/vault/secrets/bg_validator",
    )
    assert beside.compose(*remove).code == 0
    for service in ("prepare", "bootstrap"):
        said = beside.compose("run", "--rm", "--no-deps", "-T", service)
        assert said.code == 0, said.err
    assert beside.secret(CONTROLLER, "postgres") == administrator
    assert beside.secret("validator", "bg_validator") != of_an_agent
    login = (
        "PGPASSWORD=$(cat /etc/bluegreen/secrets/bg_validator) psql -XAt -h postgres-green"
        " -U bg_validator -d shop -c 'SELECT 1' 2>&1"
    )
    assert beside.execute("validator", "sh", "-c", login).out.strip() == "1"
    assert beside.execute(CONTROLLER, "bluegreen", "doctor", "--json").code == 0
    with psycopg.connect(make_conninfo(shop.doors["app"], password=application)) as session:
        assert session.execute("SELECT count(*) > 1000 FROM orders").fetchone() == (True,)


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

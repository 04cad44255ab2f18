"""What cannot be obeyed is said with the name of the setting, before anything is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.compose_stack import CONTROLLER, FILE, ComposeStack
from tests.support.container_engine import run
from tests.support.journey import Said
from tests.support.wait import until

SECOND = "bluegreen-e2e-second"
TRACE = "Traceback"


@pytest.fixture(scope="module")
def second(stack: ComposeStack) -> Iterator[dict[str, str]]:
    """The environment of another stack on the same host, gone at the end."""
    environment = {**stack.environment, "COMPOSE_PROJECT_NAME": SECOND}
    yield environment
    run(["docker", "compose", "down", "-v"], environment, limit_s=120)


def prepare(environment: dict[str, str], **settings: str) -> tuple[int, str]:
    words = ["docker", "compose", "run", "--rm", "--no-deps", "-T", "prepare"]
    said = run(words, {**environment, **settings}, limit_s=120)
    return said.code, said.err


@pytest.mark.parametrize(
    ("setting", "value"), [("DB_USER", "alice"), ("DB_NAME", "app; DROP DATABASE x")]
)
def test_a_setting_that_cannot_be_obeyed_is_named(
    second: dict[str, str], setting: str, value: str
) -> None:
    code, said = prepare(second, **{setting: value})
    assert code == 2
    assert setting in said
    assert TRACE not in said


def test_another_password_for_servers_that_exist_is_refused(
    second: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("first-password", encoding="utf-8")
    assert prepare(second, DB_PASSWORD_FILE=str(file))[0] == 0 or prepare(second)[0] == 0
    file.write_text("another-password", encoding="utf-8")
    code, said = prepare(second, DB_PASSWORD_FILE=str(file))
    assert code == 2
    assert "DB_PASSWORD" in said
    assert "another-password" not in said


def test_two_stacks_on_one_host_share_nothing(stack: ComposeStack, second: dict[str, str]) -> None:
    assert prepare(second)[0] == 0
    here, there = (
        set(stack.docker("volume", "ls", "-q", "--filter", label).out.split())
        for label in (
            f"label=com.docker.compose.project={stack.project}",
            f"label=com.docker.compose.project={SECOND}",
        )
    )
    assert here
    assert there
    assert not here & there


def test_a_port_that_is_taken_is_named(stack: ComposeStack, second: dict[str, str]) -> None:
    words = ["docker", "compose", "up", "-d", "--no-deps", "migration-proxy"]
    said = run(words, second, limit_s=120)
    assert said.code != 0
    taken = [stack.environment[f"BLUEGREEN_{door}_PORT"] for door in ("POOLED", "DIRECT", "FLOWER")]
    assert any(f"{port} failed" in said.err for port in taken), said.err


def test_a_missing_secret_is_named_with_its_place(stack: ComposeStack) -> None:
    script = (
        "import os; from shared.settings import load; s = load(os.environ)\n"
        "try: s.secret('bg_replicator')\n"
        "except Exception as e: print(e)"
    )
    said = stack.execute("validator", "python", "-c", script)
    assert "bg_replicator in /etc/bluegreen/secrets/bg_replicator" in said.out


def test_a_stranger_in_the_place_of_redis_is_not_spoken_to(stack: ComposeStack) -> None:
    """A certificate of another host: what answers under another name than it carries."""
    script = (
        "import os; from shared.settings import load; from shared.adapters.queue import redis_bus\n"
        "s = load(os.environ)\n"
        "ip = __import__('socket').gethostbyname('redis')\n"
        "s = s.model_copy(update={'redis': s.redis.model_copy(update={'host': ip})})\n"
        "try: redis_bus.check(s)\n"
        "except Exception as e: print(e)"
    )
    said = stack.execute(CONTROLLER, "python", "-c", script)
    assert "certificate verify failed" in said.out, said


def test_certificates_are_made_where_the_authoritys_key_is_and_nowhere_else(
    stack: ComposeStack,
) -> None:
    said = stack.execute(CONTROLLER, "bluegreen", "certs", "renew")
    assert said.code == 2
    assert "run --rm prepare" in said.err


@pytest.fixture
def doctor(stack: ComposeStack) -> Callable[..., Said]:
    """`bluegreen doctor` on the host, outside of every container."""

    def look(**settings: str) -> Said:
        words = [sys.executable, "-m", "producer", "doctor", "--json"]
        return run(words, stack.environment | settings, limit_s=120)

    return look


def failed(said: Said) -> dict[str, str]:
    """Message and remedy of each check that fails, by its name."""
    return {
        c["name"]: f"{c['sentence']}; {c['remedy']}" for c in said.body["checks"] if not c["ok"]
    }


def test_the_doctor_outside_sees_the_host_and_looks_inside(doctor: Callable[..., Said]) -> None:
    said = doctor()
    assert said.code == 0, said.out
    names = {check["name"] for check in said.body["checks"]}
    assert {"engine", "compose", "ports", "services", "inside: agents"} <= names


def test_without_an_engine_the_doctor_names_docker_host(doctor: Callable[..., Said]) -> None:
    said = doctor(DOCKER_HOST="unix:///nowhere/docker.sock")
    assert said.code == 69
    assert "DOCKER_HOST" in failed(said)["engine"]


def test_a_stack_that_cannot_come_up_is_told_why_before_it_is_tried(
    doctor: Callable[..., Said], stack: ComposeStack
) -> None:
    """The ports of another stack, and a socket that is none."""
    said = doctor(COMPOSE_PROJECT_NAME="bluegreen-e2e-third", DOCKER_SOCKET="/nowhere")
    bad = failed(said)
    assert "BLUEGREEN_POOLED_PORT" in bad["ports"]
    assert stack.environment["BLUEGREEN_POOLED_PORT"] in bad["ports"]
    assert "DOCKER_SOCKET" in bad["engine's socket"]
    assert "up -d --wait" in bad["services"]


def test_a_full_volume_is_named(stack: ComposeStack, tmp_path: Path) -> None:
    small = tmp_path / "small.yml"
    small.write_text(
        "volumes: {own-redis: {driver_opts: {type: tmpfs, device: tmpfs, o: size=8k}}}\n",
        encoding="utf-8",
    )
    full = ComposeStack(stack.environment, tmp_path, "bluegreen-e2e-full", files=(FILE, small))
    try:
        code, said = prepare(full.environment)
        assert code == 2
        assert "No space left on device in /stack/own/redis" in said
        assert TRACE not in said
    finally:
        full.down("-v")


EXPIRED = """
from datetime import timedelta
from pathlib import Path
import os
from shared.adapters.compose import certificates
certificates.BACKDATED, certificates.SERVER_DAYS = timedelta(days=3), -1
place = Path("/stack/own/redis/tls")
pair = certificates.Pair(place / "server.crt", place / "server.key")
authority = certificates.Authority(Path("/stack/vault/authority"))
authority.issue(pair, ["redis", "localhost"], anew=True)
for path in (pair.certificate, pair.key):
    os.chown(path, 999, 999)
"""


def test_an_expired_certificate_is_named_with_what_renews_it(stack: ComposeStack) -> None:
    words = ("run", "--rm", "--no-deps", "-T", "prepare", "python", "-c", EXPIRED)
    said = stack.compose(*words)
    assert said.code == 0, said.err
    assert stack.compose("restart", "redis").code == 0
    until(
        lambda: "certificate has expired" in said_of_redis(stack),
        limit_s=60, what="Redis, once it listens again, shows what has expired",
    )  # fmt: skip
    assert "renew-certificates.sh" in said_of_redis(stack)
    renewed = stack.shell("./scripts/migration/renew-certificates.sh")
    assert renewed.code == 0, renewed.err
    stack.up()
    assert said_of_redis(stack) == ""


def said_of_redis(stack: ComposeStack) -> str:
    """What the doctor inside complains of, with the remedy."""
    return failed(stack.execute(CONTROLLER, "bluegreen", "doctor", "--json")).get("Redis", "")


def test_a_policy_that_there_is_not_is_refused(second: dict[str, str]) -> None:
    code, said = prepare(second, BLUEGREEN_FAILOVER="sometimes")
    assert code == 2
    assert "off | ask | auto in BLUEGREEN_FAILOVER" in said


def test_the_profile_monitoring_is_whole_and_its_files_are_its_users_own(
    stack: ComposeStack,
) -> None:
    """Its images are not run here."""
    said = stack.compose("--profile", "monitoring", "config", "--services")
    assert said.code == 0, said.err
    assert {"prometheus", "alertmanager", "grafana"} <= set(said.out.split())
    own = stack.compose("run", "--rm", "--no-deps", "-T", "prepare", "stat", "-c", "%u %a",
                        "/stack/own/grafana/secrets/grafana").out  # fmt: skip
    assert own.split() == ["472", "600"]


def test_what_prometheus_asks_is_answered_over_tls_that_is_checked(stack: ComposeStack) -> None:
    script = (
        "import ssl, urllib.request as u\n"
        "c = ssl.create_default_context(cafile='/etc/bluegreen/tls/ca.crt')\n"
        "print(u.urlopen('https://health-monitor:9187/metrics', context=c, timeout=5).read())"
    )
    assert "mig_monitor_heartbeat" in stack.execute("validator", "python", "-c", script).out

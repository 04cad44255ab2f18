"""What cannot be obeyed is said with the name of the setting, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compose_stack import CONTROLLER, ComposeStack
from tests.support.container_engine import run

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
        "import os; from shared.settings import load; from shared.adapters import redis_bus\n"
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

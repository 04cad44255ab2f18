"""`bluegreen doctor` where only the host of the compose stack is seen, and the host does not suit.

What cannot be had here, an old engine and an old Compose, is a program `docker` that says so.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.doctor.outside import looks_outside
from shared.adapters.compose.host import FILE, Host, Port, find_stack
from shared.domain.errors import MigrationError, Refused, Transient
from tests.support.cluster import free_port
from tests.support.command_line import CalledHere

ROOT = Path(__file__).parents[2]
SAYS = """#!/bin/sh
case "$*" in
  "version --format {{.Server.Version}}") echo %(engine)s ;;
  "compose version --short") echo %(compose)s ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""
Looks = dict[str, Callable[[], str]]


@pytest.fixture
def looks(tmp_path: Path) -> Callable[..., Looks]:
    def with_versions(engine: str, compose: str) -> Looks:
        program = tmp_path / "docker"
        program.write_text(SAYS % {"engine": engine, "compose": compose})
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        return dict(looks_outside(Host(ROOT, {"PATH": path})))

    return with_versions


def test_what_is_too_old_is_named_with_what_is_expected(looks: Callable[..., Looks]) -> None:
    found = looks("20.10.24", "v2.17.3")
    with pytest.raises(Refused, match=r"expected Docker Engine 25\.0 or newer, found 20\.10\.24"):
        found["engine"]()
    with pytest.raises(Refused, match=r"expected Docker Compose 2\.20 or newer, found 2\.17\.3"):
        found["compose"]()


def test_what_is_new_enough_passes(looks: Callable[..., Looks]) -> None:
    found = looks("26.1.5+dfsg1", "2.26.1-4")
    assert found["engine"]() == "Docker Engine 26.1.5+dfsg1"
    assert found["compose"]() == "Docker Compose 2.26.1-4"


def test_without_the_program_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = dict(looks_outside(Host(ROOT, {"PATH": str(tmp_path)})))
    with pytest.raises(Refused, match="the program docker, found none") as raised:
        found["engine"]()
    assert "bluegreen up" in raised.value.remedy


def test_settings_that_compose_refuses_are_named(looks: Callable[..., Looks]) -> None:
    with pytest.raises(MigrationError, match="expected settings that Compose accepts") as raised:
        looks("26.1", "2.26")["settings"]()
    assert ".env" in raised.value.remedy


def test_a_port_that_is_taken_is_told_from_one_that_is_free() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_port()))
        holder.listen()
        port = Port("127.0.0.1", holder.getsockname()[1], "BLUEGREEN_POOLED_PORT")
        assert (port.is_free(), port.answers()) == (False, True)
    assert (port.is_free(), port.answers()) == (True, False)


def test_what_is_published_is_known_with_its_setting_also_green_where_another_server_reads_from_it(
    tmp_path: Path,
) -> None:
    def port(target: int, published: int, address: str) -> dict[str, object]:
        return {"target": target, "published": str(published), "host_ip": address}

    said = {"services": {"migration-proxy": {"ports": [port(6432, 7001, "127.0.0.1")]},
                         "postgres-green": {"ports": [port(5432, 7002, "0.0.0.0")]}}}  # fmt: skip
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n")
    program.chmod(0o755)
    found = Host(ROOT, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}).ports()
    assert [(one.number, one.setting, one.service) for one in found] == [
        (7001, "BLUEGREEN_POOLED_PORT", "migration-proxy"),
        (7002, "BLUEGREEN_GREEN_PORT", "postgres-green"),
    ]


def test_the_stack_is_found_by_its_file_or_by_compose_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_stack({}) is None
    found = find_stack({"COMPOSE_FILE": f"{ROOT / FILE}:other.yml"})
    assert found is not None
    assert found.folder == ROOT
    (tmp_path / FILE).touch()
    assert find_stack({}) is not None


def test_an_engine_that_does_not_answer_in_time_is_no_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.adapters.compose.host.LOOK_LIMIT_S", 0.3)
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    host = Host(ROOT, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    with pytest.raises(Transient, match="to answer within"):
        host.engine()


def test_a_docker_without_compose_is_said_once_and_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n[ $1 = version ] && { echo 27.0.1; exit; }\n"
        "echo 'docker: unknown command: docker compose' >&2\n"
        "echo >&2\necho \"Run 'docker --help' for more information\" >&2\nexit 1\n"
    )
    docker.chmod(0o755)
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / FILE).write_text("services: {}\n")
    call = CalledHere(stack, {"PATH": f"{tmp_path}:/usr/bin:/bin"}, monkeypatch, capsys)
    found = call("doctor", "--json")
    checks = {check["name"]: check for check in found.body["checks"]}
    assert list(checks) == ["engine", "compose"]
    assert checks["engine"]["ok"]
    assert checks["compose"]["sentence"].endswith("docker: unknown command: docker compose")

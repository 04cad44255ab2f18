"""`bluegreen doctor` on an embedded stack: each failure has the remedy that brings it back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.adapters.embedded.stack import up
from shared.settings import AlertSettings
from tests.support.command_line import Answer, CalledHere
from tests.support.stack import Stack, running_stack
from tests.support.wait import until

Doctor = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(agents=True) as found:
        yield found


@pytest.fixture
def doctor(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Doctor:
    """Its failed checks by name; a stack that is well has none."""
    here = CalledHere(tmp_path, {}, monkeypatch, capsys)

    def call(place: Path = stack.state_dir, **variables: str) -> dict[str, dict[str, Any]]:
        answer: Answer = here("doctor", "--json", BLUEGREEN_STATE_DIR=str(place), **variables)
        failed = {check["name"]: check for check in answer.body["checks"] if not check["ok"]}
        assert answer.code == (0 if not failed else answer.body["exitCode"])
        assert answer.body["exitCode"] in (0, 7, 69)
        assert all(check["remedy"] for check in failed.values())
        return failed

    return call


def until_well(doctor: Doctor) -> None:
    until(lambda: not doctor(), limit_s=60, what="a stack that is well")


@pytest.fixture
def mended(doctor: Doctor) -> Iterator[None]:
    """Well before the test breaks something, and well again behind it."""
    until_well(doctor)
    yield
    until_well(doctor)


@pytest.mark.parametrize(
    ("variables", "found", "named"),
    [
        ({"DB_HOST": "127.0.0.2"}, "not reachable", "DB_HOST"),
        ({"DB_HOST": "no.such.host.invalid"}, "not reachable", "DB_HOST"),
        ({"DB_PORT": "99999"}, "expected a port in DB_PORT", "such as 5432"),
        ({"DB_PASSWORD": "wrong"}, "lets us not in", "DB_PASSWORD"),
        ({"DB_USER": "somebody", "DB_PASSWORD": "x"}, "lets us not in", "DB_USER, DB_PASSWORD"),
        ({"DB_USER": "somebody"}, "expected DB_PASSWORD beside", "set DB_PASSWORD"),
    ],
)
def test_what_the_variables_of_the_guide_say_wrong_is_blamed_on_them(
    doctor: Doctor, variables: dict[str, str], found: str, named: str
) -> None:
    failed = doctor(**variables)
    assert set(failed) == {"administrator"}
    assert found in failed["administrator"]["sentence"]
    assert named in failed["administrator"]["remedy"]
    assert "bluegreen up" not in failed["administrator"]["remedy"]


def test_another_server_behind_the_variables_is_no_dead_one(stack: Stack, doctor: Doctor) -> None:
    control = psycopg.conninfo.conninfo_to_dict(stack.doors["control"])
    named = {"DB_PORT": str(control["port"])}
    failed = doctor(**named)["administrator"]
    assert 'database "app" does not exist' in failed["sentence"]
    assert failed["remedy"].startswith("mend DB_PORT, or unset it")


@pytest.mark.parametrize(
    ("child", "checks"),
    [
        ("pgbouncer", {"pooled door", "routes", "administrator"}),
        ("redis", {"Redis", "agents"}),
        ("green", {"green"}),
        ("validator", {"agents"}),
    ],
)
@pytest.mark.usefixtures("mended")
def test_a_process_that_is_frozen_is_named_and_its_remedy_helps(
    stack: Stack, doctor: Doctor, child: str, checks: set[str]
) -> None:
    pid = stack.kill(child, signal.SIGSTOP)
    try:
        failed = doctor()
        assert set(failed) == checks
        assert {check["remedy"] for check in failed.values()} == {
            f"{child} is frozen: `kill -CONT {pid}` lets it go on"
        }
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("mended")
def test_a_pg_hba_that_rejects_is_named_and_its_remedy_helps(stack: Stack, doctor: Doctor) -> None:
    node = next(node for name, node in stack.settings.nodes.items() if name.value == "blue")
    assert node.conf_dir is not None
    file = node.conf_dir / "pg_hba.conf"
    before = file.read_text()
    file.write_text(f"host all {node.administrator} all reject\n{before}")
    stack.kill("blue", signal.SIGHUP)
    until(lambda: "blue" in doctor(), limit_s=30, what="blue to reject")
    remedy = doctor()["blue"]["remedy"]
    assert str(file) in remedy
    file.write_text(before)
    subprocess.run(["/bin/sh", "-c", remedy.split("`")[1]], check=True, timeout=10)


def test_a_stack_that_was_moved_is_told_to_be_moved_back(
    stack: Stack, doctor: Doctor, tmp_path: Path
) -> None:
    settings = stack.settings.model_copy(
        update={"state_dir": tmp_path / "old", "secrets_dir": tmp_path / "old" / "secrets"}
    )
    moved = tmp_path / "new"
    moved.mkdir()
    (moved / "stack.json").write_text(settings.model_dump_json())
    secrets = doctor(moved)["secrets"]
    assert f"expected a directory of secrets in {tmp_path}/old/secrets" in secrets["sentence"]
    assert secrets["remedy"] == f"the stack was made in {tmp_path}/old: move {moved} back there"


def test_a_url_that_apprise_does_not_know_is_counted_and_not_shown(
    stack: Stack, doctor: Doctor, tmp_path: Path
) -> None:
    for urls, found in (("json://localhost/x",), None), (("json://h/x", "t0ken at chat"), "2 of 2"):
        changed = stack.settings.model_copy(update={"alerts": AlertSettings(urls=urls)})
        (tmp_path / "stack.json").write_text(changed.model_dump_json())
        failed = doctor(tmp_path).get("alert sinks")
        assert (failed is None) == (found is None)
        if failed is not None and found is not None:
            assert found in failed["sentence"]
            assert "t0ken" not in str(failed)


@pytest.mark.usefixtures("mended")
def test_a_stack_that_does_not_run_is_started_by_up(stack: Stack, doctor: Doctor) -> None:
    """Nobody supervises: `up` is what helps then, and only then."""
    stack.kill("supervisor", signal.SIGKILL)
    until(lambda: stack.pid("blue") is None, limit_s=30, what="the children to end")
    failed = doctor()
    assert {"Redis", "blue", "pooled door", "agents"} <= set(failed)
    assert {check["remedy"] for check in failed.values()} == {
        "`bluegreen up` starts the stack again"
    }
    up(stack.state_dir)

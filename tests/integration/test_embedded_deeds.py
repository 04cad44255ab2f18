"""Deeds are processes of their own: they outlive who began them, end when forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.adapters.deeds import Deeds
from shared.adapters.embedded.accounts import server_account
from shared.adapters.processes import start_time
from tests.support.wait import until

WAITS = ["/bin/sh", "-c", "echo begun; sleep 60"]


@pytest.fixture
def deeds(tmp_path: Path) -> Deeds:
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return Deeds(tmp_path / "deeds")


def until_ended(deeds: Deeds, name: str) -> None:
    until(lambda: deeds.look(name).state != "running", limit_s=20, what=f"the end of {name}")


def leader(tmp_path: Path, name: str) -> int:
    record = tmp_path / "deeds" / name / "pid"
    until(lambda: record.exists() and record.read_text().strip(), limit_s=20, what="its pid")
    return int(record.read_text())


def test_one_that_was_never_begun_is_absent_and_forgetting_it_is_fine(deeds: Deeds) -> None:
    assert deeds.look("copy").state == "absent"
    deeds.forget("copy")
    assert deeds.names() == []


def test_its_end_its_last_words_and_its_progress_are_told(deeds: Deeds) -> None:
    deeds.start("good", ["/bin/sh", "-c", "printf '10%%\\r 55%% of it\\r'"])
    deeds.start("bad", ["/bin/sh", "-c", "echo no room >&2; exit 3"])
    until_ended(deeds, "good")
    until_ended(deeds, "bad")
    good, bad = deeds.look("good"), deeds.look("bad")
    assert (good.state, good.progress, good.last_line) == ("succeeded", 0.55, "55% of it")
    assert (bad.state, bad.last_line) == ("failed", "no room")


def test_it_outlives_the_process_that_began_it(deeds: Deeds, tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from shared.adapters.deeds import Deeds; "
        f"Deeds(Path(sys.argv[1])).start('copy', {WAITS!r}); os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", program, tmp_path / "deeds"], check=False)
    assert died.returncode == -9
    until(lambda: deeds.look("copy").last_line == "begun", limit_s=10, what="its first words")
    assert deeds.look("copy").state == "running"
    deeds.forget("copy")
    assert deeds.look("copy").state == "absent"


def test_begun_twice_it_runs_once(deeds: Deeds, tmp_path: Path) -> None:
    deeds.start("copy", WAITS)
    first = leader(tmp_path, "copy")
    deeds.start("copy", WAITS)
    assert leader(tmp_path, "copy") == first
    deeds.forget("copy")


def test_forgetting_ends_the_processes_it_began(deeds: Deeds) -> None:
    deeds.start("copy", ["/bin/sh", "-c", "sleep 60 & echo $!; wait"])
    until(lambda: deeds.look("copy").last_line, limit_s=10, what="the pid of its child")
    child = int(deeds.look("copy").last_line)
    assert start_time(child) is not None
    deeds.forget("copy")
    assert start_time(child) is None


def test_its_end_leaves_no_zombie(deeds: Deeds, tmp_path: Path) -> None:
    deeds.start("copy", ["/bin/true"])
    pid = leader(tmp_path, "copy")
    until_ended(deeds, "copy")
    until(
        lambda: deeds.look("copy") and not Path(f"/proc/{pid}").exists(),
        limit_s=20,
        what="no entry",
    )


def test_one_that_was_killed_has_failed_and_may_be_begun_again(
    deeds: Deeds, tmp_path: Path
) -> None:
    deeds.start("copy", WAITS)
    os.killpg(leader(tmp_path, "copy"), 9)
    until_ended(deeds, "copy")
    assert deeds.look("copy").state == "failed"
    deeds.start("copy", ["/bin/true"])
    until_ended(deeds, "copy")
    assert deeds.look("copy").state == "succeeded"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can begin a deed as another user")
def test_it_runs_as_the_user_that_was_asked_for(deeds: Deeds, tmp_path: Path) -> None:
    account = server_account()
    assert account is not None
    deeds.start("who", ["/usr/bin/id", "-u"], run_as=account.name)
    until_ended(deeds, "who")
    assert deeds.look("who").last_line == str(account.uid)
    assert deeds.log("who").exists()

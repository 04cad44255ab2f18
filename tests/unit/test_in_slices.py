"""A program that writes much works in slices, and what it wrote goes to disk between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from shared.adapters.in_slices import in_slices

WRITES_AND_WAITS = """
import sys, time
from pathlib import Path
Path(sys.argv[1] + ".small").write_text("little")
while not Path(sys.argv[2]).exists():
    Path(sys.argv[1]).write_text("much" * 2**20)
    time.sleep(0.01)
print("done")
"""
LIMIT_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").write_text("was there before" * 2**16)
    (tmp_path / "cwd").mkdir()
    return tmp_path


def begin(place: Path, command: Sequence[str], path: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        in_slices(place / "data", command), cwd=place / "cwd", text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PATH": path + os.environ["PATH"]},
    )  # fmt: skip


def writer(place: Path) -> list[str]:
    return [sys.executable, "-c", WRITES_AND_WAITS, str(place / "data" / "new"), str(place / "go")]


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, f"expected {what} within {LIMIT_S:.0f} s"
        time.sleep(0.002)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def child_of(process: subprocess.Popen[str], runs: str) -> int:
    """The program itself, once it has taken the place of what started it."""
    found: list[int] = []

    def there() -> bool:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if words[0] == runs.encode():
                found.append(int(child))
        return bool(found)

    until(there, "the program to run")
    return found[0]


@pytest.mark.parametrize("status", [0, 3])
def test_output_and_exit_status_are_the_programs_own(place: Path, status: int) -> None:
    code = f"import sys; print('out'); print('err', file=sys.stderr); sys.exit({status})"
    process = begin(place, [sys.executable, "-c", code])
    assert process.communicate(timeout=LIMIT_S) == ("out\n", "err\n")
    assert process.returncode == status


def test_a_program_that_is_killed_has_failed(place: Path) -> None:
    process = begin(place, [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 128 + signal.SIGKILL


def test_what_it_wrote_goes_to_disk_while_it_works_and_nothing_else(place: Path) -> None:
    asked = place / "asked"
    stand_in = place / "bin" / "sync"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {asked}\n')
    stand_in.chmod(0o755)
    process = begin(place, writer(place), path=f"{stand_in.parent}:")
    new, old = str(place / "data" / "new"), str(place / "data" / "old")
    until(lambda: asked.exists() and new in asked.read_text().split(), "the new file to be synced")
    assert process.poll() is None
    (place / "go").touch()
    assert process.communicate(timeout=LIMIT_S)[0] == "done\n"
    assert process.returncode == 0
    words = asked.read_text().split()
    assert old not in words, "what it did not write is left alone"
    assert f"{new}.small" not in words, "one commit of the journal for each would be too many"


def test_it_stands_still_between_the_slices(place: Path) -> None:
    process = begin(place, writer(place))
    program = child_of(process, sys.executable)
    for _ in range(3):
        until(lambda: state_of(program) == "T", "the program to stand still")
        until(lambda: state_of(program) != "T", "the program to go on")
    (place / "go").touch()
    assert process.communicate(timeout=LIMIT_S)[0] == "done\n"


def test_it_goes_on_when_who_slices_it_is_killed_while_it_stands_still(place: Path) -> None:
    process = begin(place, writer(place))
    program = child_of(process, sys.executable)
    until(lambda: state_of(program) == "T", "the program to stand still")
    os.kill(process.pid, signal.SIGSTOP)  # it cannot tell the program to go on any more
    until(lambda: state_of(process.pid) == "T", "the shell to stand still")
    os.kill(program, signal.SIGSTOP)
    process.kill()
    (place / "go").touch()
    assert process.communicate(timeout=LIMIT_S)[0] == "done\n"

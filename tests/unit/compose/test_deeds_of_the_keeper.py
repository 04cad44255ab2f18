"""What runs in the one-off container: under the lock, in slices, and it leaves a standby."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.keeper import deed_containers

PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > {said}
flock --nonblock {lock} true && echo free || echo held
ls {data}
exit {status}
"""


@dataclass(frozen=True)
class Places:
    data: Path
    conf: Path


@dataclass(frozen=True)
class Container:
    root: Path

    def run(self, program: str, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """The command of that deed, with a stand-in for PostgreSQL's program."""
        stand_in = self.root / "bin" / program
        stand_in.parent.mkdir(exist_ok=True)
        lock, data = deed_containers.LOCK, deed_containers.PLACES.data
        text = PROGRAM.format(said=self.root / "said", lock=lock, data=data, status=status)
        stand_in.write_text(text)
        stand_in.chmod(0o755)
        return subprocess.run(
            deed_containers.command_of(program, args), cwd=self.root, start_new_session=True,
            capture_output=True, text=True, check=False, timeout=20,
            env={**os.environ, "PATH": f"{stand_in.parent}:{os.environ['PATH']}"},
        )  # fmt: skip


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    places = Places(tmp_path / "volume" / "main", tmp_path / "conf")
    places.data.mkdir(parents=True)
    (places.data / "PG_VERSION").write_text("17")
    monkeypatch.setattr(deed_containers, "PLACES", places)
    monkeypatch.setattr(deed_containers, "LOCK", places.data.parent / "lock")
    return Container(tmp_path)


def test_a_rewind_works_on_what_is_there_under_the_lock(container: Container) -> None:
    done = container.run("pg_rewind", "--source-server", "host=x user=y z")
    assert (done.returncode, done.stdout.split()) == (0, ["held", "PG_VERSION"])
    data, conf = (
        str(deed_containers.PLACES.data),
        str(deed_containers.PLACES.conf / "postgresql.conf"),
    )
    assert (container.root / "said").read_text().splitlines() == [
        "--target-pgdata", data, "--config-file", conf, "--source-server", "host=x user=y z",
    ]  # fmt: skip
    assert (deed_containers.PLACES.data / "standby.signal").exists()


def test_a_copy_finds_an_empty_directory(container: Container) -> None:
    done = container.run("pg_basebackup", "--wal-method", "stream")
    assert (done.returncode, done.stdout.split()) == (0, ["held"])
    assert (deed_containers.PLACES.data / "standby.signal").exists()


@pytest.mark.parametrize("program", ["pg_rewind", "pg_basebackup"])
def test_a_deed_that_fails_leaves_no_standby(container: Container, program: str) -> None:
    assert container.run(program, status=4).returncode == 4
    assert not (deed_containers.PLACES.data / "standby.signal").exists()

"""Logs are cut under the hands of who writes them: a process with its log open for appending."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from producer.logbook import collect
from shared.adapters.embedded.log_files import LOOK_EVERY_S, OLDER_PARTS, LogFiles
from tests.support.fakes import FakeControlStore

WRITES = """
import sys
for line in sys.stdin:
    number = int(line)
    for each in range(number, number + 500):
        print(f"{each:07d} " + "x" * 90, flush=True)
    print("written", file=sys.stderr, flush=True)
"""


def test_a_log_is_cut_while_it_is_written_and_no_line_of_the_kept_parts_is_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "agent.log"
    files = LogFiles(tmp_path, most_bytes=40_000)
    now = 0.0
    with path.open("ab") as log:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITES], stdin=subprocess.PIPE, stdout=log,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert writer.stdin is not None
    assert writer.stderr is not None
    with writer:
        for start in range(0, 5000, 500):
            print(start, file=writer.stdin, flush=True)
            assert writer.stderr.readline() == "written\n"
            files.look(now)
            now += LOOK_EVERY_S + 1
            sizes = [each.stat().st_size for each in tmp_path.iterdir()]
            assert sum(sizes) <= (OLDER_PARTS + 1) * 50_000
        writer.stdin.close()
    parts = [tmp_path / f"agent.log.{number}" for number in range(OLDER_PARTS, 0, -1)]
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        ["agent.log", *(part.name for part in parts)]
    )
    text = "".join(each.read_text() for each in (*parts, path))
    kept = [int(line.split()[0]) for line in text.splitlines()]
    assert kept == list(range(kept[0], 5000))
    assert len(kept) >= 2 * 500


def test_a_short_log_and_what_is_no_log_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "agent.log").write_text("short\n")
    (tmp_path / "other").write_bytes(b"x" * 1000)
    LogFiles(tmp_path, most_bytes=100).look(0)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["agent.log", "other"]


def test_a_servers_json_log_is_cut_too(tmp_path: Path) -> None:
    log = tmp_path / "blue" / "postgresql-Mon.json"
    log.parent.mkdir()
    log.write_bytes(b"x" * 1000)
    LogFiles(tmp_path, most_bytes=100).look(0)
    assert log.stat().st_size == 0
    assert log.with_name("postgresql-Mon.json.1").stat().st_size == 1000


def test_what_cannot_be_cut_stays_whole_and_is_told(tmp_path: Path, capfd) -> None:
    log = tmp_path / "agent.log"
    log.write_bytes(b"x" * 1000)
    (tmp_path / ".agent.log.1").mkdir()  # where the copy would be written
    LogFiles(tmp_path, most_bytes=100).look(0)
    assert log.stat().st_size == 1000
    assert "agent.log cannot be cut" in capfd.readouterr().err


def test_the_log_of_a_job_is_read_across_its_older_parts(tmp_path: Path) -> None:
    for number, name in enumerate(("agent.log.2", "agent.log.1", "agent.log")):
        (tmp_path / name).write_text(
            f'{{"job": "j", "timestamp": "2026-11-27T10:00:0{number}Z", "action": "a{number}"}}\n'
        )
    entries = [
        each for each in collect(FakeControlStore(), tmp_path, "j") if each.source == "agent"
    ]
    assert [entry.text for entry in entries] == ["info: a0", "info: a1", "info: a2"]

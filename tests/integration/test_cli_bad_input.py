"""What a user gets wrong ends in one line with a place and a remedy, its exit code, no traceback.

No stack is here: everything must be found before a service would be asked.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import CalledHere, CommandLine

SAFE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n"
RISKY = "ALTER TABLE users DROP COLUMN fax;\n"


@pytest.fixture
def bluegreen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CalledHere(tmp_path, {}, monkeypatch, capsys)


def test_a_file_that_is_missing(bluegreen: CommandLine) -> None:
    answer = bluegreen("run", "nowhere.sql")
    assert answer.code == 2
    assert "nowhere.sql" in answer.line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.sql", b""),
        ("latin1.sql", b"COMMENT ON TABLE t IS 'Stra\xdfe';\n"),
        ("zero.sql", b"SELECT 1;\x00\n"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_without_readable_sql(
    bluegreen: CommandLine, command: str, name: str, content: bytes
) -> None:
    answer = bluegreen(command, bluegreen.write(name, content))
    assert answer.code in (2, 3)
    assert name in answer.err + answer.out
    assert "Traceback" not in answer.err


def test_a_file_of_comments_is_valid_and_not_worth_running(bluegreen: CommandLine) -> None:
    name = bluegreen.write("comment.sql", b"-- nothing to do\n")
    assert bluegreen("validate", name).code == 0
    answer = bluegreen("run", name)
    assert answer.code == 2
    assert name in answer.line


@pytest.mark.parametrize("kind", ["directory", "fifo", "device"])
def test_a_path_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    bluegreen = CommandLine(tmp_path)
    path = tmp_path / "migration.sql"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    answer = bluegreen("run", "migration.sql", limit_s=30)
    assert answer.code == 2
    assert "migration.sql" in answer.line


@pytest.mark.parametrize(
    ("sql", "place", "word"),
    [
        (SAFE + SAFE + "ALTER TABLE users ADD COLUMNS x int;\n", "3:", "syntax error"),
        (SAFE + "\\i other.sql\n", "2:1", "\\i"),
        (SAFE + "COMMIT;\n", "2:1", "COMMIT"),
    ],
    ids=["syntax error at the last line", "psql meta-command", "COMMIT inside"],
)
def test_sql_that_cannot_run_is_refused_with_its_place(
    bluegreen: CommandLine, sql: str, place: str, word: str
) -> None:
    answer = bluegreen("run", "--yes", bluegreen.write("bad.sql", sql))
    assert answer.code == 3
    assert f"bad.sql:{place}" in answer.err
    assert word in answer.err
    assert "Traceback" not in answer.err


def test_a_claim_below_the_need_is_refused_with_the_statement(bluegreen: CommandLine) -> None:
    answer = bluegreen("run", "--type", "safe", "--yes", bluegreen.write("drop.sql", RISKY))
    assert answer.code == 3
    assert "drop.sql:1:1" in answer.err
    assert "risky" in answer.err


def test_one_bad_file_among_good_ones_stops_them_all(bluegreen: CommandLine) -> None:
    good, bad = (
        bluegreen.write("1.sql", SAFE),
        bluegreen.write("2.sql", "ALTER TABLE x ADD COLUMNS y int;"),
    )
    answer = bluegreen("run", "--yes", good, bad)
    assert answer.code == 3
    assert "2.sql:1:" in answer.err


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_whose_name_begins_with_a_dash(bluegreen: CommandLine, command: str) -> None:
    name = bluegreen.write("-x.sql", SAFE)
    answer = bluegreen(command, name)
    assert answer.code == 2
    assert "`-- -x.sql`" in answer.line
    assert "--dry-run" not in bluegreen("run", "--dyr-run", "a.sql").line.partition(";")[2]
    assert bluegreen("validate", "--", name).code == 0


def test_a_folder_that_was_removed_under_its_shell_is_no_defect(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    bluegreen = CommandLine(folder)
    found = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *bluegreen.command("status")],
        cwd=folder, env=bluegreen.clean() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert found.returncode == 2, found.stderr
    assert "expected a current directory, found none" in found.stderr


def test_a_risky_file_without_yes_and_without_a_terminal(bluegreen: CommandLine) -> None:
    answer = bluegreen("run", bluegreen.write("drop.sql", RISKY))
    assert answer.code == 2
    assert "--yes" in answer.line


def test_no_stack_here_is_said_with_the_way_to_one(tmp_path: Path) -> None:
    bluegreen = CommandLine(tmp_path)
    answer = bluegreen("run", bluegreen.write("a.sql", SAFE))
    assert answer.code == 2
    assert "bluegreen up" in answer.line


def test_an_error_in_json_has_its_shape(bluegreen: CommandLine) -> None:
    answer = bluegreen("run", "nowhere.sql", "--json")
    assert answer.code == 2
    assert answer.body["exitCode"] == 2
    assert "nowhere.sql" in answer.body["error"]["message"]


def test_a_dry_run_takes_many_files_and_needs_no_service(bluegreen: CommandLine) -> None:
    names = [bluegreen.write(f"{i}.sql", sql) for i, sql in enumerate([SAFE, RISKY])]
    answer = bluegreen("run", "--dry-run", *names)
    assert answer.code == 0, answer.err
    assert "safe" in answer.out
    assert "risky" in answer.out


def test_a_dry_run_of_a_bad_file_is_refused(bluegreen: CommandLine) -> None:
    answer = bluegreen(
        "run", "--dry-run", bluegreen.write("bad.sql", "ALTER TABLE x ADD COLUMNS y int;")
    )
    assert answer.code == 3


def test_the_guides_script_is_a_door_to_run(bluegreen: CommandLine) -> None:
    script = Path(__file__).parents[2] / "scripts/migration/execute-migration.sh"
    bluegreen.write("a.sql", SAFE)
    found = subprocess.run(
        [script, "--type", "safe", "--dry-run", "a.sql"],
        cwd=bluegreen.folder, env=bluegreen.clean(), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("group", [(), ("backups",), ("audit",), ("proxy",)])
def test_a_group_without_a_command_shows_its_page(
    bluegreen: CommandLine, group: tuple[str, ...]
) -> None:
    answer = bluegreen(*group)
    assert answer.code == 2
    assert answer.out == ""
    page = answer.err.splitlines()
    assert page[0].startswith(" ".join(("Usage: bluegreen", *group)))
    assert "Commands:" in page

"""Whoever reads what a command says may go, or interrupt it: it ends in its own code, untidy never.

No stack is here, but for what an interrupted `up` leaves: `validate` ends with 0 or 3, whatever
becomes of its output.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from producer import cli
from producer.client import Client, View
from producer.following import attend
from producer.output import Output
from producer.streams import Outliving
from tests.support.command_line import CommandLine
from tests.support.wait import until

GOOD = "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n"
BAD = "CREATE TABLE notes (id bigint PRIMARY KEY, body text;\n"


@pytest.fixture
def bluegreen(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def called(bluegreen: CommandLine, *words: str, redirection: str) -> tuple[int, str]:
    """Exit code and stderr of the command under a shell's redirection of its streams."""
    found = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", *bluegreen.command(*words)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        cwd=bluegreen.folder,
        env=bluegreen.clean(),
    )
    return found.returncode, found.stderr


@pytest.mark.parametrize(("sql", "code"), [(GOOD, 0), (BAD, 3)])
@pytest.mark.parametrize("form", [(), ("--json",), ("--format", "markdown")])
@pytest.mark.parametrize("redirection", ["| true; exit ${PIPESTATUS[0]}", ">&-", ">/dev/full"])
def test_a_lost_reader_changes_no_exit_code(
    bluegreen: CommandLine, sql: str, code: int, form: tuple[str, ...], redirection: str
) -> None:
    name = bluegreen.write("file.sql", sql)
    found, err = called(bluegreen, "validate", name, *form, redirection=redirection)
    assert found == code, err
    assert "Traceback" not in err
    says_something = code == 0 or bool(form)
    is_told = says_something and redirection == ">/dev/full"
    assert ("No space left on device" in err) == is_told


def test_help_and_errors_outlive_their_readers_too(bluegreen: CommandLine) -> None:
    assert called(bluegreen, "--help", redirection="| true; exit ${PIPESTATUS[0]}") == (0, "")
    assert called(bluegreen, "--help", redirection=">&-") == (0, "")
    assert called(bluegreen, "validate", "none.sql", redirection="2>&-") == (2, "")


INTERRUPTED_AT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
signal.signal(signal.SIGINT, signal.default_int_handler)
from producer.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("module", "code"), [("typer", -signal.SIGINT), ("producer.validating", 130)]
)
def test_an_interrupt_at_any_moment_leaves_no_traceback(
    bluegreen: CommandLine, module: str, code: int
) -> None:
    name = bluegreen.write("file.sql", GOOD)
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT.format(module=module), "validate", name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=bluegreen.folder,
        env=bluegreen.clean(),
    )
    assert (found.returncode, found.stdout, found.stderr) == (code, "", "")


def test_an_interrupt_while_the_configuration_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read_configuration", interrupted)
    assert cli.run_command(["status"]) == 130


class InterruptedAtTheFirstLook(Client):
    def __init__(self) -> None:
        """Without services: nothing is asked of them."""

    def look(self, job: str) -> View:
        raise KeyboardInterrupt


def test_an_interrupt_behind_the_enqueuing_names_the_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        attend(InterruptedAtTheFirstLook(), Output(as_json=True), "20261123-7f3a")
    assert "`bluegreen watch 20261123-7f3a` follows it again" in capsys.readouterr().err


def test_what_is_written_behind_a_lost_reader_is_dropped() -> None:
    reader, writer = os.pipe()
    with Outliving(writer, "w") as stream:
        assert stream.write(b"one") == 3
        assert stream.lost is None
        assert os.read(reader, 8) == b"one"
        os.close(reader)
        assert stream.write(b"two") == 3
        assert isinstance(stream.lost, BrokenPipeError)
        assert stream.write(b"three") == 5


def hear_interrupts() -> None:
    """Who was started in the background ignores them, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_up_says_what_stays_and_down_removes_it(bluegreen: CommandLine) -> None:
    with tempfile.TemporaryDirectory(prefix="bluegreen-stack-") as folder:
        Path(folder).chmod(0o755)  # the servers' user must be able to enter
        place = Path(folder) / "state"
        said = bluegreen.folder / "said"
        with said.open("w") as stderr:
            process = subprocess.Popen(
                bluegreen.command("up", "--state-dir", str(place)),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                cwd=bluegreen.folder, env=bluegreen.clean(), start_new_session=True,
                preexec_fn=hear_interrupts,
            )  # fmt: skip
        try:
            until(lambda: "making PostgreSQL" in said.read_text(), limit_s=60, what="a first step")
            os.kill(process.pid, signal.SIGINT)
            code = process.wait(timeout=60)
        finally:
            ended = bluegreen("down", "--state-dir", str(place))
        err = said.read_text()
        assert code == 130
        assert f"what was begun in {place} stays" in err
        assert "Traceback" not in err
        assert ended.code == 0
        assert not place.exists()

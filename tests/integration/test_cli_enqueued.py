"""What a person asks for reaches the job as asked, or nothing is enqueued."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.command_line import CalledHere, CommandLine
from tests.support.idle_stack import RISKY, SAFE, enqueued, forget_jobs, idle_stack
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with idle_stack() as found:
        yield found


@pytest.fixture
def bluegreen(bluegreen: CalledHere, stack: Stack) -> Iterator[CommandLine]:
    yield bluegreen
    forget_jobs(stack)


@pytest.mark.parametrize("options", [[], ["--type", "maintenance"]])
def test_without_yes_and_without_a_terminal_nothing_is_enqueued(
    stack: Stack, bluegreen: CommandLine, options: list[str]
) -> None:
    file = bluegreen.write("a.sql", RISKY.format(n=7))
    answer = bluegreen("run", file, *options)
    assert answer.code == 2
    assert "--yes" in answer.line
    assert enqueued(stack) == 0


def test_every_option_of_the_guide_reaches_the_job(stack: Stack, bluegreen: CommandLine) -> None:
    file = bluegreen.write("a.sql", RISKY.format(n=8))
    answer = bluegreen(
        "run", file, "--type", "risky", "--yes", "--no-rollback", "--timeout", "120",
        "--switch-delay", "2.5", "--detach", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    with stack.connect("control") as control:
        row = control.execute("SELECT kind, options FROM bluegreen_control.job").fetchone()
    assert row is not None
    kind, options = row
    assert kind == "risky"
    assert options["claimed"] == "risky"
    assert options["no_rollback"] is True
    assert options["timeout_s"] == 120
    assert options["switch_delay_s"] == 2.5


def test_flags_win_over_the_environment_and_that_over_the_file(
    stack: Stack, bluegreen: CommandLine
) -> None:
    bluegreen.write("bluegreen.toml", "[run]\ntimeout = 10\nswitch-delay = 1\nmax-stall = 100\n")
    file = bluegreen.write("a.sql", SAFE.format(n=9))
    answer = bluegreen(
        "run", file, "--detach", "--timeout", "30.5",
        BLUEGREEN_TIMEOUT="20", BLUEGREEN_SWITCH_DELAY="2",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    with stack.connect("control") as control:
        row = control.execute("SELECT options FROM bluegreen_control.job").fetchone()
    assert row is not None
    assert (row[0]["timeout_s"], row[0]["switch_delay_s"], row[0]["max_stall_ms"]) == (30.5, 2, 100)


def test_a_migration_that_is_applied_is_nothing_to_do_and_an_edited_one_an_error(
    stack: Stack, bluegreen: CommandLine
) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=10))
    job = bluegreen("run", file, "--detach").out.strip()
    with stack.connect("control") as control:
        control.execute(
            "UPDATE bluegreen_control.job SET phase = 'completed', outcome = 'completed',"
            " ended_at = now()"
        )
        control.execute("UPDATE bluegreen_control.lease SET job = NULL")
    again = bluegreen("run", file)
    assert again.code == 0
    assert f"already applied: job {job}" in again.out
    bluegreen.write("a.sql", SAFE.format(n=11))
    edited = bluegreen("run", file)
    assert edited.code == 2
    assert "has been edited since" in edited.line


def test_the_guides_administrator_is_honoured(stack: Stack, bluegreen: CommandLine) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=12))
    blue = psycopg.conninfo.conninfo_to_dict(stack.doors["blue"])
    right = {
        "DB_HOST": str(blue["host"]), "DB_PORT": str(blue["port"]), "DB_NAME": "app",
        "DB_USER": str(blue["user"]), "DB_PASSWORD": str(blue["password"]),
    }  # fmt: skip
    control = psycopg.conninfo.conninfo_to_dict(stack.doors["control"])
    wrong_server = right | {
        "DB_PORT": str(control["port"]), "DB_USER": str(control["user"]),
        "DB_PASSWORD": str(control["password"]),
    }  # fmt: skip
    assert bluegreen("run", file, "--detach", **(right | {"DB_NAME": "other"})).code == 2
    assert bluegreen("run", file, "--detach", **wrong_server).code in (2, 69)
    assert enqueued(stack) == 0
    assert bluegreen("run", file, "--detach", **right).code == 0

"""The command line against real services, with no agent that takes a job.

A service that is away is named in one line with exit 69, and nothing is enqueued; what a person
asks for reaches the job; following ends as it was asked to.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.stack import up
from shared.settings import load
from tests.support.command_line import CalledHere, CommandLine
from tests.support.idle_stack import SAFE, enqueued, forget_jobs, idle_stack
from tests.support.stack import Stack
from tests.support.wait import until


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with idle_stack() as found:
        yield found


@pytest.fixture
def bluegreen(bluegreen: CalledHere, stack: Stack) -> Iterator[CommandLine]:
    yield bluegreen
    forget_jobs(stack)


@contextmanager
def stopped(stack: Stack, child: str, door: str) -> Iterator[None]:
    files = ControlFiles(Layout(stack.state_dir).supervisor)
    files.want(child, "stopped at once")
    until(lambda: not files.status(child).is_running, limit_s=20, what=f"{child} to stop")
    try:
        yield
    finally:
        files.want(child, "running")
        until(lambda: files.status(child).is_running, limit_s=20, what=f"{child} to start")
        if door:
            stack.until_answers(door)


@pytest.mark.parametrize(
    ("child", "door", "named"),
    [
        ("redis", "", "Redis at 127.0.0.1:"),
        ("control", "control", "control database at 127.0.0.1:"),
        ("blue", "blue", "PostgreSQL blue at 127.0.0.1:"),
        ("pgbouncer", "app", "PgBouncer at 127.0.0.1:"),
    ],
)
def test_a_service_that_is_down(
    stack: Stack, bluegreen: CommandLine, child: str, door: str, named: str
) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=1))
    with stopped(stack, child, door):
        answer = bluegreen("run", file, "--detach")
    assert answer.code == 69
    assert named in answer.line
    assert "bluegreen doctor" in answer.line
    assert enqueued(stack) == 0


def test_detach_prints_the_id_and_status_finds_the_job(
    stack: Stack, bluegreen: CommandLine
) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=2))
    job = bluegreen("run", file, "--detach", "--json").body["job"]
    body = bluegreen("status", job, "--json").body
    assert body["job"] == job
    assert body["outcome"] is None
    assert {"phase", "step", "progress", "steps"} <= set(body)
    assert body["steps"][0] == body["steps"][0] | {"name": "validate", "state": "pending"}
    assert job in bluegreen("status").out
    assert job in bluegreen("history").out
    assert bluegreen("logs", job).code == 0
    assert bluegreen("report", job, "--json").body["outcome"] is None


def test_a_file_that_does_not_fit_the_live_schema_is_refused(
    stack: Stack, bluegreen: CommandLine
) -> None:
    file = bluegreen.write("a.sql", "ALTER TABLE customers ADD COLUMN note text;\n")
    answer = bluegreen("run", file, "--detach")
    assert answer.code == 3
    assert "a.sql:1:" in answer.line
    assert "customers" in answer.line
    assert enqueued(stack) == 0


def test_a_second_job_while_one_is_live(stack: Stack, bluegreen: CommandLine) -> None:
    first = bluegreen("run", bluegreen.write("a.sql", SAFE.format(n=3)), "--detach").out.strip()
    answer = bluegreen("run", bluegreen.write("b.sql", SAFE.format(n=4)), "--detach")
    assert answer.code == 5
    assert first in answer.line
    assert enqueued(stack) == 1


def test_following_ends_at_the_limit_and_the_job_stays(
    stack: Stack, bluegreen: CommandLine
) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=5))
    answer = bluegreen("run", file, "--wait-timeout", "1")
    assert answer.code == 6
    assert "bluegreen watch" in answer.out
    assert enqueued(stack) == 1


def test_ctrl_c_leaves_the_job_and_says_how_to_follow_it(
    stack: Stack, bluegreen: CommandLine
) -> None:
    file = bluegreen.write("a.sql", SAFE.format(n=6))
    process = subprocess.Popen(
        bluegreen.command("run", file),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=bluegreen.folder, env=bluegreen.clean(), start_new_session=True,
    )  # fmt: skip
    until(lambda: enqueued(stack) == 1, limit_s=30, what="a job")
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "bluegreen watch" in out
    assert "Traceback" not in err
    assert enqueued(stack) == 1


def test_a_job_that_is_not_there_is_said(bluegreen: CommandLine) -> None:
    for command in ("status", "watch", "approve", "abort", "rollback", "finish", "report", "logs"):
        answer = bluegreen(command, "20260101-ffff")
        assert answer.code == 2, command
        assert "20260101-ffff" in answer.line


def test_what_is_old_is_shown_then_removed_and_its_file_stays_applied(
    stack: Stack, bluegreen: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "001.sql"
    file.write_text(SAFE.format(n=90))
    assert bluegreen("run", str(file), "--detach").code == 0
    assert bluegreen("prune", "--dry-run").out == "nothing is older than 90 days\n"
    with stack.connect("control") as control:
        control.execute(
            "UPDATE bluegreen_control.job SET phase = 'completed', outcome = 'completed',"
            " ended_at = now() - interval '91 days'"
        )
        control.execute("UPDATE bluegreen_control.lease SET job = NULL")
    looked = bluegreen("prune", "--dry-run", "--json").body
    assert [(each["what"], each["count"]) for each in looked["expired"]] == [("details of jobs", 1)]
    assert looked["removed"] == {"jobs": 0, "others": 0}
    assert bluegreen("prune", "--days", "92").out.endswith("details of 0 jobs, 0 other rows\n")
    assert bluegreen("prune").out.endswith("removed: details of 1 job, 0 other rows\n")
    assert "already applied" in bluegreen("run", str(file)).out
    assert "details were removed on" in bluegreen("status").out
    refused = bluegreen("prune", "--days", "1")
    assert refused.code == 2
    assert "expected days from 2" in refused.err


def test_an_up_on_a_stack_that_is_up_takes_other_limits_over(stack: Stack) -> None:
    config = {"BLUEGREEN_STATE_DIR": str(stack.state_dir)}
    up(stack.state_dir, agents=False, jobs_days=365)
    assert load(config).retention.job_days == 365
    up(stack.state_dir, agents=False, points_days=30)
    kept = load(config)
    assert (kept.retention.job_days, kept.backup.retention_days) == (365, 30)
    up(stack.state_dir, agents=False, jobs_days=90, points_days=7)


def test_where_traffic_goes_cannot_be_told_without_the_pooler_and_it_says_what_shows_more(
    stack: Stack, bluegreen: CommandLine
) -> None:
    with stopped(stack, "pgbouncer", "app"):
        answer = bluegreen("proxy", "status")
    assert answer.code == 69
    assert "the pooler's admin console" in answer.line
    assert answer.line.endswith("`bluegreen doctor` shows what is down")

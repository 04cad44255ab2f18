"""`health`, `alerts`, `audit`, `logs`: what a person is told, and the exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from tests.support.command_line import CommandLine
from tests.support.stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as found:
        yield found


@pytest.fixture
def control(stack: Stack) -> Iterator[psycopg.Connection]:
    with stack.connect("control") as connection:
        connection.execute("TRUNCATE bluegreen_control.alert, bluegreen_control.silence")
        yield connection


@pytest.fixture
def store(stack: Stack) -> Iterator[HealthStore]:
    database = ControlDatabase(stack.settings, application_name="test")
    yield HealthStore(database)
    database.close()


def test_health_names_what_is_not_well_and_its_code_says_so(
    bluegreen: CommandLine, stack: Stack
) -> None:
    """No agent runs here, so that something is always away: 69."""
    answer = bluegreen("health", "--json")
    assert answer.code == 69
    body = answer.body
    assert (body["schema"], body["healthy"], body["exitCode"]) == (1, False, 69)
    checks = {check["name"]: check for check in body["checks"]}
    assert checks["blue.available"]["healthy"]
    assert checks["blue.disk"]["group"] == "performance"
    assert checks["blue.memory"]["value"] > 1 << 20
    assert not checks["agent.backup"]["healthy"]
    assert checks["agent.backup"]["group"] == "availability"
    assert checks["schema.consistent"]["group"] == "integrity"


def test_health_watch_looks_until_it_is_interrupted(
    bluegreen: CommandLine, stack: Stack, tmp_path: Path
) -> None:
    """Each look is a document of its own, and each sees what is so now."""
    supervised = ControlFiles(Layout(stack.state_dir).supervisor)
    words = bluegreen.command("health", "--watch", "--every", "1", "--json")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path,
        env=bluegreen.clean() | {"BLUEGREEN_STATE_DIR": str(stack.state_dir)},
    )  # fmt: skip
    try:
        assert process.stdout is not None

        def green() -> bool:
            assert process.stdout is not None
            body = json.loads(process.stdout.readline())
            return bool({c["name"]: c["healthy"] for c in body["checks"]}["green.available"])

        assert green()
        supervised.want("green", "stopped")
        for _ in range(20):
            if not green():
                break
        else:
            raise AssertionError("the watch never saw green away")
        supervised.want("green", "running")
        for _ in range(20):
            if green():
                break
        else:
            raise AssertionError("the watch never saw green again")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        supervised.want("green", "running")
        process.kill()
        process.communicate(timeout=10)


def test_alerts_are_listed_silenced_and_told_again(
    bluegreen: CommandLine, control: psycopg.Connection, store: HealthStore
) -> None:
    assert "no alert is raised" in bluegreen("alerts", "list").out
    store.raise_alert("blue.disk", "critical", "blue has 1 MB of free disk", {})
    made = bluegreen("alerts", "silence", "blue.*", "--for", "60", "--reason", "swap", "--json")
    assert (made.code, made.body["alerts"], made.body["reason"]) == (0, "blue.*", "swap")
    body = bluegreen("alerts", "list", "--json").body
    assert [alert["name"] for alert in body["alerts"]] == ["blue.disk"]
    assert body["silences"] == [{k: made.body[k] for k in body["silences"][0]}]
    assert store.take_untold() == []
    assert bluegreen("alerts", "unsilence", str(made.body["number"])).code == 0
    assert [name for name, *_ in store.take_untold()] == ["blue.disk"]
    assert bluegreen("alerts", "unsilence", "999999").code == 2


def test_a_star_is_the_only_letter_with_a_meaning_in_a_silence(
    bluegreen: CommandLine, control: psycopg.Connection, store: HealthStore
) -> None:
    store.raise_alert("replicationXlag", "warning", "not meant", {})
    store.raise_alert("replication_lag", "warning", "meant", {})
    bluegreen("alerts", "silence", "replication_*", "--for", "60", "--reason", "x")
    assert [name for name, *_ in store.take_untold()] == ["replicationXlag"]


def test_the_audit_is_verified_and_a_changed_row_is_named(
    bluegreen: CommandLine, control: psycopg.Connection
) -> None:
    for number in range(3):
        control.execute(
            "SELECT bluegreen_control.append_audit('test', 'deed', %s)",
            (json.dumps({"n": number}),),
        )
    good = bluegreen("audit", "verify", "--json")
    assert (good.code, good.body["firstBroken"], good.body["rows"] >= 3) == (0, None, True)
    assert bluegreen("audit", "verify", "--head", good.body["head"]).code == 0
    seq = int(good.body["head"].split(":")[0])
    control.execute("UPDATE bluegreen_control.audit SET actor = 'me' WHERE seq = %s", (seq - 1,))
    bad = bluegreen("audit", "verify", "--json")
    assert (bad.code, bad.body["firstBroken"]) == (7, seq - 1)
    control.execute("UPDATE bluegreen_control.audit SET actor = 'test' WHERE seq = %s", (seq - 1,))
    assert bluegreen("audit", "verify").code == 0


def test_a_chain_that_was_written_anew_is_found_by_a_head_that_was_noted_outside(
    bluegreen: CommandLine, control: psycopg.Connection
) -> None:
    control.execute("SELECT bluegreen_control.append_audit('test', 'deed', '{}')")
    head = bluegreen("audit", "verify", "--json").body["head"]
    with control.transaction(force_rollback=False):
        rows = control.execute(
            "DELETE FROM bluegreen_control.audit RETURNING seq, actor, action, detail"
        ).fetchall()
        for _, actor, action, detail in sorted(rows):
            control.execute(
                "SELECT bluegreen_control.append_audit(%s, %s, %s)",
                (actor.replace("test", "other"), action, json.dumps(detail)),
            )
    assert bluegreen("audit", "verify").code == 0
    answer = bluegreen("audit", "verify", "--head", head, "--json")
    assert (answer.code, answer.body["headKept"]) == (7, False)
    assert bluegreen("audit", "verify", "--head", "nonsense").code == 2


def test_logs_of_a_job_are_its_decisions_and_what_agents_wrote_of_it(
    bluegreen: CommandLine, stack: Stack
) -> None:
    database = ControlDatabase(stack.settings, application_name="test")
    job = PostgresControlStore(database).submit(
        database="app", kind=Kind.SAFE, file_name="logs.sql", sql="SELECT 1",
        options=RunOptions(), source=Colour.BLUE, requested_by="test",
    )  # fmt: skip
    database.close()
    written = {
        "timestamp": "2026-11-23T12:00:00Z", "level": "warning", "action": "step.failed",
        "job": job, "step": "validate", "reason": "no such column",
    }  # fmt: skip
    log = stack.state_dir / "logs" / "validator.log"
    log.write_text(f"noise\n{json.dumps(written)}\n{json.dumps({**written, 'job': 'other'})}\n")
    entries = bluegreen("logs", job, "--json").body["entries"]
    mine = [entry for entry in entries if entry["source"] == "validator"]
    assert [entry["text"] for entry in mine] == [
        "warning: step.failed step=validate reason=no such column"
    ]
    assert bluegreen("logs", "no-such-job").code == 2

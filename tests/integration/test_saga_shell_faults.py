"""Whatever dies, freezes, is wiped, repeated or forged: the job ends as it would have."""

from __future__ import annotations

import json
import signal
import time

import pytest

from shared.adapters.control.coordinator_store import MOST_STARTS
from shared.adapters.queue.celery_app import celery_app
from shared.adapters.queue.celery_client import send, wake_coordinator
from shared.domain.errors import Transient
from shared.domain.kinds import Outcome
from shared.saga.events import Direction
from shared.saga.state import Command
from tests.support.shell_stack import AGENTS, ShellStack, shell_stack
from tests.support.wait import until

STEPS = ("look", "one", "two", "three", "four", "last", "after")
EVERY_STEP_ONCE = [f"do {step}" for step in STEPS]
COMPLETE = "migration complete"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with shell_stack(tmp_path_factory.mktemp("shell")) as stack:
        yield stack


@pytest.fixture
def stack(running: ShellStack):
    running.clear()
    return running


def test_a_worker_killed_inside_a_step_is_replaced_and_the_step_repeated(stack):
    stack.plan(three={"die": 1})
    job = stack.submit()
    assert stack.outcome(job, revive=True) is Outcome.COMPLETED
    assert stack.deeds().count("do three") == 2


def test_a_step_in_which_workers_die_again_and_again_is_given_up(stack):
    """One worker really dies; the outbox is told that others did before."""
    stack.plan(three={"sleep_s": 60})
    job = stack.submit()
    stack.begun("do three")
    stack.sql("UPDATE bluegreen_control.outbox SET starts = %s WHERE job = %s", MOST_STARTS, job)
    stack.kill("replicator")
    stack.tell("three", die=100)
    until(lambda: stack.store.job(job).attempt == 2, limit_s=10, what="the second attempt")
    stack.sql("UPDATE bluegreen_control.outbox SET starts = %s WHERE job = %s", MOST_STARTS, job)
    assert stack.outcome(job, revive=True) is Outcome.ROLLED_BACK
    assert "died in it again and again" in stack.store.job(job).sentence
    assert stack.standing() == []


def test_a_step_is_not_given_up_while_a_worker_is_at_it(stack):
    stack.plan(three={"sleep_s": 3})
    job = stack.submit()
    stack.begun("do three")
    stack.sql("UPDATE bluegreen_control.outbox SET starts = %s WHERE job = %s", MOST_STARTS, job)
    assert stack.outcome(job) is Outcome.COMPLETED


@pytest.mark.parametrize("name", ["coordinator", "validator", "redis"])
def test_a_process_killed_while_a_step_is_pending_changes_nothing(stack, name):
    stack.plan(two={"looks": 30})
    job = stack.submit()
    stack.begun("do two")
    stack.kill(name)
    assert stack.outcome(job, revive=True) is Outcome.COMPLETED
    assert stack.standing() == sorted(deed.removeprefix("do ") for deed in EVERY_STEP_ONCE)


def test_a_command_that_no_worker_takes_is_told_to_people(stack):
    stack.kill("replicator")
    job = stack.submit()
    until(
        lambda: "no worker of replicator has taken it" in stack.store.job(job).sentence,
        limit_s=20, what="the sentence",
    )  # fmt: skip
    assert stack.outcome(job, revive=True) is Outcome.COMPLETED


@pytest.mark.parametrize("name", ["coordinator", "validator"])
def test_a_process_frozen_for_three_seconds_changes_nothing(stack, name):
    stack.plan(two={"looks": 30})
    job = stack.submit()
    stack.begun("do two")
    stack.signal(name, signal.SIGSTOP)
    thaw_at = time.monotonic() + 3
    until(lambda: time.monotonic() > thaw_at, limit_s=4, what="three seconds pass")
    stack.signal(name, signal.SIGCONT)
    assert stack.outcome(job) is Outcome.COMPLETED


def test_the_control_database_killed_in_mid_job_changes_nothing(stack):
    stack.plan(two={"looks": 30})
    job = stack.submit()
    stack.begun("do two")
    stack.database.close()
    stack.control.stop("immediate")
    stack.control.start()
    assert stack.outcome(job) is Outcome.COMPLETED


@pytest.mark.parametrize("agent", ["coordinator", "validator"])
def test_two_processes_of_an_agent_do_each_thing_once(stack, agent):
    stack.plan(two={"looks": 20})
    with stack.second(agent):
        job = stack.submit()
        assert stack.outcome(job) is Outcome.COMPLETED
    assert stack.deeds().count("do one") == stack.deeds().count("do four") == 1
    said = [line.sentence for line in stack.store.history(job)]
    assert said == ["accepted, 7 steps", *(f"{step} done" for step in STEPS[:-1]), COMPLETE]


def test_a_wiped_redis_delays_the_job_and_nothing_else(stack):
    stack.plan(two={"looks": 10}, three={"looks": 10})
    job = stack.submit()
    for deed in ("do two", "do three"):
        stack.begun(deed)
        stack.redis.flushall()
    assert stack.outcome(job) is Outcome.COMPLETED


@pytest.mark.parametrize("table", ["step", "history", "outbox"])
def test_rows_deleted_in_mid_job_change_nothing(stack, table):
    stack.plan(two={"looks": 20})
    job = stack.submit()
    stack.begun("do two")
    stack.sql(f"DELETE FROM bluegreen_control.{table} WHERE job = %s", job)
    assert stack.outcome(job) is Outcome.COMPLETED
    assert [step.state for step in stack.store.steps(job)].count("done") == len(EVERY_STEP_ONCE)


@pytest.mark.parametrize(
    "item",
    [
        "this is no JSON", "\\xff\\xfe", "", "42", "[]", "{}", '{"body": 1}',
        '{"properties": {"delivery_tag": "x", "delivery_info": {}}, "headers": {}, "body": "!"}',
    ],
)  # fmt: skip
def test_an_item_that_is_no_message_has_no_effect_and_one_audit_entry(stack, item):
    before = {name: process.pid for name, process in stack.processes.items()}
    entries = stack.refused_messages()
    for agent in AGENTS:
        stack.redis.lpush(stack.settings.redis.prefix + agent, item)
    until(
        lambda: stack.refused_messages() == entries + len(AGENTS), limit_s=10,
        what="each agent writes one entry",
    )  # fmt: skip
    assert stack.outcome(stack.submit()) is Outcome.COMPLETED
    assert {name: process.pid for name, process in stack.processes.items()} == before
    assert all(process.poll() is None for process in stack.processes.values())
    assert stack.deeds() == EVERY_STEP_ONCE


def test_a_task_that_nobody_knows_has_no_effect_and_one_audit_entry(stack):
    entries = stack.refused_messages()
    with celery_app(stack.settings) as app:
        app.send_task("replicator.drop_everything", kwargs={"job": "x"}, queue="replicator")
    until(lambda: stack.refused_messages() == entries + 1, limit_s=10, what="one entry")
    assert stack.outcome(stack.submit()) is Outcome.COMPLETED


def test_a_message_delivered_twice_runs_its_step_once(stack):
    stack.plan(two={"looks": 1, "every_s": 1.5})
    job = stack.submit()
    stack.begun("do two")
    entries = stack.refused_messages()
    record = stack.store.job(job)
    for _ in range(3):
        _send(stack, "one", "replicator", epoch=record.epoch - 1, job=job)
        _send(stack, "two", "validator", epoch=record.epoch, job=job)
    assert stack.outcome(job) is Outcome.COMPLETED
    assert stack.deeds().count("do one") == 1
    assert stack.deeds().count("do two") == 2
    until(lambda: stack.refused_messages() == entries + 6, limit_s=20, what="six entries")


@pytest.mark.parametrize(
    "forged", [{"epoch": 0}, {"attempt": 7}, {"direction": "backward"}, {"job": "20990101-ffff"}]
)
def test_a_forged_message_has_no_effect_and_one_audit_entry(stack, forged):
    job = stack.submit(hold=True)
    stack.reached(job, "hold_for_approval")
    entries, deeds = stack.refused_messages(), stack.deeds()
    told = {"job": job, "direction": "forward", "attempt": 1, "epoch": stack.store.job(job).epoch}
    with celery_app(stack.settings) as app:
        app.send_task(
            "replicator.one", kwargs={**told, "step": "one", **forged}, queue="replicator"
        )
        app.send_task(
            "replicator.one", kwargs={**told, "step": "two", **forged}, queue="replicator"
        )
        app.send_task("replicator.one", args=[json.dumps(told)], queue="replicator")
    until(lambda: stack.refused_messages() == entries + 3, limit_s=10, what="three entries")
    assert stack.deeds() == deeds
    stack.ask(job, "abort")
    assert stack.outcome(job) is Outcome.ROLLED_BACK


def test_a_coordinator_cannot_be_woken_through_a_redis_that_is_down_and_says_so_at_once(stack):
    stack.kill("redis")
    began = time.monotonic()
    with pytest.raises(Transient, match="expected Redis"):
        wake_coordinator(stack.settings, "20261123-0000")
    assert time.monotonic() - began < 1.0


def _send(stack: ShellStack, step: str, owner: str, *, epoch: int, job: str) -> None:
    command = Command(
        job=job, step=step, owner=owner, direction=Direction.FORWARD, attempt=1, epoch=epoch,
        due_at=stack.store.job(job).requested_at,
    )  # fmt: skip
    with celery_app(stack.settings) as app:
        send(app, command)

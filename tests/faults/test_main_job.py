"""Whatever dies or freezes in the middle of a risky job: it ends, nothing is lost, one side writes.

One stack for the whole file, with the shop under load; every test brings a table of its own and
leaves the stack at rest.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.files import Pets
from tests.support.journey import Journey

pytestmark = pytest.mark.faults
FROZEN_S = 3.0


@contextmanager
def watched(journey: Journey, switches: int | None = None) -> Iterator[None]:
    """Load and probes around the body; afterwards nothing lost and never two writable sides."""
    with journey.two_sides() as sides, journey.shop.load() as journal:
        yield
    account = journey.shop.account(journal)
    assert account.lost == account.duplicated == 0
    assert account.acknowledged > 50
    turns = sides.turns()
    assert len(turns) <= 3, f"writes were accepted by {turns}"
    if switches is not None:
        assert len(turns) == switches + 1, turns


def pet_job(journey: Journey, name: str) -> str:
    pets = Pets(name)
    journey.as_application(pets.table)
    return journey.submit(f"{name}.sql", pets.risky, "--type", "risky")


def at_rest(journey: Journey, job: str) -> str:
    """Finish or await the job; both sides must carry nothing of it. Returns its outcome."""
    state = journey.until(
        job, lambda now: now["step"] == "hold_rollback_window" or now["outcome"], within_s=240
    )
    if not state["outcome"]:
        journey.bluegreen("finish", job)
    outcome = journey.until_ended(job)
    assert outcome in {"completed", "rolled_back"}, journey.status(job)
    assert journey.servers.residue() == {}
    return outcome


@pytest.mark.parametrize("step", ["rehearse", "create_green", "catch_up", "compare_rows"])
@pytest.mark.parametrize("victim", ["coordinator", "replicator"])
def test_killed_in_a_step_the_job_goes_on(journey: Journey, victim: str, step: str) -> None:
    with watched(journey):
        job = pet_job(journey, f"killed_{victim}_{step}")
        journey.until_step_passed(job, step)
        journey.stack.kill(victim, signal.SIGKILL)
        assert at_rest(journey, job) == "completed"


@pytest.mark.parametrize("victim", ["coordinator", "replicator", "proxy-agent"])
def test_frozen_for_seconds_the_job_goes_on(journey: Journey, victim: str) -> None:
    with watched(journey):
        job = pet_job(journey, f"frozen_{victim.replace('-', '_')}")
        journey.until_step_passed(job, "rehearse")
        with journey.frozen(victim):
            time.sleep(FROZEN_S)
        assert at_rest(journey, job) == "completed"


@pytest.mark.parametrize("moment", ["before", "inside", "after"])
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_proxy_agent_around_the_pause(
    journey: Journey, moment: str, fault: signal.Signals
) -> None:
    with watched(journey):
        job = pet_job(journey, f"{fault.name.lower()}_{moment}")
        if moment == "before":
            journey.until_step_passed(job, "compare_rows")
        else:
            journey.until_paused(job, is_over=moment == "after")
        journey.stack.kill("proxy-agent", fault)
        if fault is signal.SIGSTOP:
            time.sleep(FROZEN_S)
            journey.stack.kill("proxy-agent", signal.SIGCONT)
        at_rest(journey, job)


def kill_server(journey: Journey, side: str) -> None:
    """As the kernel would. The supervisor starts it again, and it recovers."""
    killed = journey.stack.kill(side, signal.SIGKILL)
    journey.stack.until_back(side, killed)
    journey.stack.until_answers(side)


@pytest.mark.parametrize("victim", ["source", "target"])
def test_a_server_killed_while_the_sides_are_in_sync(journey: Journey, victim: str) -> None:
    pets = Pets(f"crashed_{victim}")
    journey.as_application(pets.table)
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky", "--hold")
    journey.until(job, lambda now: now["waitsForApproval"] or now["outcome"])
    source = journey.store.job(job).source
    kill_server(journey, source if victim == "source" else source.other)
    journey.until_written(f"INSERT INTO {pets.name} (id, label) VALUES (7001, 'late')")
    journey.bluegreen("approve", job, "--detach")
    assert at_rest(journey, job) == "completed", journey.bluegreen("report", job).out
    assert journey.count(f"{pets.name} WHERE id = 7001 AND called = 'late'") == 1


@pytest.mark.parametrize("victim", ["serving", "fenced"])
def test_a_server_killed_in_the_window_does_not_close_the_way_back(
    journey: Journey, victim: str
) -> None:
    pets = Pets(f"window_{victim}")
    journey.as_application(pets.table)
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
    journey.until_step(job, "hold_rollback_window")
    source = journey.store.job(job).source
    kill_server(journey, source if victim == "fenced" else source.other)
    journey.until_written(
        f"INSERT INTO {pets.name} (id, called, weight) VALUES (7001, 'late', 0.004)"
    )
    journey.go_back(job)
    assert journey.until_ended(job) == "rolled_back"
    assert journey.count(f"{pets.name} WHERE id = 7001 AND label = 'late' AND weight = 4") == 1
    assert journey.servers.residue() == {}


def test_redis_wiped_in_mid_job_the_job_completes(journey: Journey) -> None:
    with watched(journey, switches=1):
        job = pet_job(journey, "redis_wiped")
        for step in ("rehearse", "create_green", "catch_up"):
            journey.until_step_passed(job, step)
            journey.redis().flushall()
        assert at_rest(journey, job) == "completed"


def test_progress_rows_deleted_in_mid_job_the_job_completes(journey: Journey) -> None:
    with watched(journey, switches=1):
        job = pet_job(journey, "rows_deleted")
        for step in ("rehearse", "create_green", "catch_up"):
            journey.until_step_passed(job, step)
            journey.in_control("DELETE FROM bluegreen_control.step WHERE job = %s", job)
        assert at_rest(journey, job) == "completed"


def test_rubbish_on_a_queue_changes_nothing(journey: Journey) -> None:
    redis = journey.redis()
    for queue in ("coordinator", "replicator", "proxy-agent", "validator"):
        redis.lpush(f"bluegreen:{queue}", b"\x00 this is not JSON")
        redis.lpush(queue, b"\x00 this is not JSON")
    with watched(journey, switches=1):
        assert at_rest(journey, pet_job(journey, "rubbish")) == "completed"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE {pets} SET label = 'changed' WHERE id = 17",
        "DELETE FROM {pets} WHERE id = 17",
        "INSERT INTO {pets} (id, label) VALUES (100017, 'added')",
    ],
    ids=["changed", "removed", "added"],
)
def test_a_difference_on_green_stops_the_cutover_and_is_named(
    journey: Journey, damage: str
) -> None:
    with watched(journey, switches=0):
        name, target = f"damaged_{damage[:3].lower()}", journey.servers.standby()
        job = pet_job(journey, name)
        journey.servers.once_writable(target, damage.format(pets=name))
        assert journey.until_ended(job) == "rolled_back"
        said = journey.bluegreen("status", job).out
        assert "17" in said
        assert name in said
        assert journey.servers.residue() == {}


def test_a_trigger_that_raises_on_green_makes_confirm_roll_back(journey: Journey) -> None:
    with journey.two_sides() as sides, journey.shop.load():
        job = journey.submit(
            "bad_trigger.sql",
            "CREATE FUNCTION grumble() RETURNS trigger LANGUAGE plpgsql AS\n"
            "$$ BEGIN RAISE EXCEPTION 'grumble'; END $$;\n"
            "CREATE TRIGGER grumble BEFORE UPDATE ON stock FOR EACH ROW\n"
            "  EXECUTE FUNCTION grumble();\n",
            "--type",
            "risky",
        )
        assert journey.until_ended(job) == "rolled_back"
    assert len(sides.turns()) == 3
    assert "confirm" in journey.bluegreen("report", job).out
    assert journey.servers.residue() == {}


def test_a_file_that_fails_on_green_leaves_both_servers_as_before(journey: Journey) -> None:
    pets = Pets("fails_on_rows")
    journey.as_application(pets.table)
    before = journey.servers.schemas()
    with watched(journey, switches=0):
        file = journey.write("fails_on_rows.sql", pets.fails_on_rows)
        said = journey.bluegreen(
            "run", str(file), "--type", "risky", "--yes", "--accept-broken-statements"
        )
        assert said.code == 1, said.err
        assert "few" in said.err + said.out
    assert journey.servers.schemas() == before
    assert journey.servers.residue() == {}

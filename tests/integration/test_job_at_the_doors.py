"""A whole job whose approval is taken back or runs out, and traffic brought back by hand in one.

The emergency is as bad as it may be: Redis, the coordinator and the control database are stopped,
and at last the side that serves is dead. Each test has a table of its own and leaves the stack at
rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from tests.support.files import Pets
from tests.support.journey import Journey
from tests.support.wait import until

DELAY_S = 20
"""From the verdict to the switch: long enough to approve and think again before."""
NOBODY_IS_LEFT = ("coordinator", "redis", "control")
LATE = "INSERT INTO {0} (id, called, weight) VALUES (7001, 'late', 0.004)"


def held_job(journey: Journey, pets: Pets) -> str:
    journey.as_application(pets.table)
    job = journey.submit(
        f"{pets.name}.sql", pets.risky, "--type", "risky", "--hold", "--switch-delay", str(DELAY_S)
    )
    journey.until_step(job, "hold_for_approval")
    return job


def approve(journey: Journey, job: str, *more: str) -> None:
    said = journey.bluegreen("approve", job, "--detach", *more)
    assert said.code == 0, said.err


def until_it_waits_again(journey: Journey, job: str) -> None:
    """The delay is over, and the step says why it does not switch."""
    journey.until(
        job,
        lambda now: now["outcome"] or any(
            step["name"] == "cutover" and "has run out: waits for" in step["sentence"]
            for step in now["steps"]
        ),
    )  # fmt: skip
    state = journey.status(job)
    assert (state["step"], state["outcome"]) == ("cutover", None), state


def finish(journey: Journey, job: str) -> None:
    journey.until_step(job, "hold_rollback_window")
    journey.bluegreen("finish", job)
    assert journey.until_ended(job) == "completed"
    assert journey.servers.residue() == {}


def test_an_approval_that_is_withdrawn_in_time_keeps_traffic_where_it_is(journey: Journey) -> None:
    pets = Pets("withdrawn")
    with journey.two_sides() as sides, journey.shop.load() as journal:
        job = held_job(journey, pets)
        approve(journey, job)
        journey.until_step(job, "cutover")
        approve(journey, job, "--withdraw")
        until_it_waits_again(journey, job)
        assert len(sides.turns()) == 1, "nothing was switched"
        again = journey.bluegreen("approve", job, "--withdraw")
        assert again.code == 0, "to withdraw twice is harmless"
        approve(journey, job)
        finish(journey, job)
    assert journey.shop.account(journal).clean
    assert len(sides.turns()) == 2


def test_an_approval_that_has_run_out_is_asked_for_again(journey: Journey) -> None:
    pets = Pets("run_out")
    with journey.two_sides() as sides, journey.shop.load() as journal:
        job = held_job(journey, pets)
        approve(journey, job)
        journey.until_step(job, "cutover")
        journey.in_control(
            "UPDATE bluegreen_control.request SET at = at - interval '2 hours'"
            " WHERE job = %s AND what = 'approve'",
            job,
        )
        until_it_waits_again(journey, job)
        assert len(sides.turns()) == 1, "nothing was switched"
        approve(journey, job)
        finish(journey, job)
    assert journey.shop.account(journal).clean
    assert len(sides.turns()) == 2


def in_window(journey: Journey, pets: Pets) -> tuple[str, str]:
    """The job, and the side that it can go back to."""
    journey.as_application(pets.table)
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
    journey.until_step(job, "hold_rollback_window")
    journey.as_application(LATE.format(pets.name))
    return job, str(journey.store.job(job).source)


@contextmanager
def stopped(journey: Journey, *children: str) -> Iterator[None]:
    """Those children of the supervisor do not run, and are not started, while the body does."""
    control = ControlFiles(Layout(journey.state).supervisor)
    for child in children:
        control.want(child, "stopped at once")
    for child in children:
        until(lambda child=child: journey.stack.pid(child) is None, limit_s=20, what=f"no {child}")
    try:
        yield
    finally:
        for child in reversed(children):
            control.want(child, "running")
        for child in children:
            until(
                lambda child=child: journey.stack.pid(child) is not None,
                limit_s=20, what=f"{child} back",
            )  # fmt: skip


def until_rolled_back(journey: Journey, job: str, pets: Pets) -> None:
    """By itself: the window sees that its target does not serve."""
    journey.stack.until_answers("control")
    assert journey.until_ended(job) == "rolled_back"
    assert "brought back by hand" in journey.status(job)["sentence"]
    assert journey.count(f"{pets.name} WHERE id = 7001 AND label = 'late' AND weight = 4") == 1
    assert journey.servers.residue() == {}


def test_with_nothing_else_alive_traffic_is_drained_and_brought_back(journey: Journey) -> None:
    pets = Pets("emergency")
    with journey.two_sides() as sides, journey.shop.load() as journal:
        job, source = in_window(journey, pets)
        with stopped(journey, *NOBODY_IS_LEFT):
            said = journey.bluegreen("proxy", "switch", source, "--max-stall", "2000")
            assert said.code == 0, said.err
            assert f"{source} serves" in said.out
            assert "the control database was not told" in said.err
            found = journey.bluegreen("proxy", "status", "--json").body
            assert found["serving"] == found["pooled"] == found["direct"] == source
            assert sorted(found["sides"].values()) == ["fenced", "open"]
        until_rolled_back(journey, job, pets)
    account = journey.shop.account(journal)
    assert account.clean, account
    assert len(sides.turns()) == 3


def test_with_the_serving_side_dead_too_its_loss_is_named_and_must_be_accepted(
    journey: Journey,
) -> None:
    pets = Pets("dead_side")
    job, source = in_window(journey, pets)
    serving = "green" if source == "blue" else "blue"
    arrived = f"SELECT 1 FROM {pets.name} WHERE id = 7001"
    with journey.stack.connect(source) as standby:
        until(lambda: standby.execute(arrived).fetchone(), limit_s=20, what="the way back has it")
    with stopped(journey, *NOBODY_IS_LEFT):
        with stopped(journey, serving):
            refused = journey.bluegreen("proxy", "switch", source)
            assert refused.code == 3, refused.err
            assert "up to LSN" in refused.err
            assert "--accept-loss" in refused.err
            assert journey.bluegreen("proxy", "status", "--json").body["sides"][source] == "fenced"
            taken = journey.bluegreen("proxy", "switch", source, "--accept-loss", "--yes")
            assert taken.code == 0, taken.err
            assert "does not answer" in taken.err
            journey.until_written(f"INSERT INTO {pets.name} (id, label) VALUES (7002, 'alone')")
        journey.stack.until_answers(serving)
        again = journey.bluegreen("proxy", "switch", source)
        assert again.code == 0, again.err
        found = journey.bluegreen("proxy", "status", "--json").body
        assert found["sides"] == {source: "open", serving: "fenced"}
        assert found["pooled"] == found["direct"] == source
    until_rolled_back(journey, job, pets)
    assert journey.count(f"{pets.name} WHERE id = 7002 AND label = 'alone'") == 1

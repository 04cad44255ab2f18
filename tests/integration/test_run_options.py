"""The options of `run` that change how a job goes, seen on a whole stack under load."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.files import Pets
from tests.support.journey import Journey

CONFIRM_LIMIT_S = 8
DELAY_S = 4


def test_no_rollback_keeps_a_failed_job_as_it_is_until_a_person_decides(journey: Journey) -> None:
    pets = Pets("kept")
    journey.as_application(pets.table)
    before = journey.servers.schemas()
    with journey.two_sides() as sides, journey.shop.load() as journal:
        file = journey.write("kept.sql", pets.fails_on_rows)
        said = journey.bluegreen(
            "run", str(file), "--type", "risky", "--yes", "--no-rollback", "--json",
            "--accept-broken-statements",
        )  # fmt: skip
        assert said.code == 7, said.err
        job = said.body["job"]
        assert journey.status(job)["outcome"] == "needs_operator"
        assert journey.servers.residue() != {}, "the servers are kept for a look at what failed"
        journey.bluegreen("abort", job, "--yes")
        assert journey.until(job, lambda now: now["outcome"] == "rolled_back")
    account = journey.shop.account(journal)
    assert account.clean, account
    assert len(sides.turns()) == 1
    assert journey.servers.residue() == {}
    assert journey.servers.schemas() == before


def test_the_switch_delay_lies_between_the_verdict_and_the_pause(journey: Journey) -> None:
    pets = Pets("delayed")
    journey.as_application(pets.table)
    with journey.shop.load():
        job = journey.submit(
            "delayed.sql", pets.risky, "--type", "risky", "--switch-delay", str(DELAY_S)
        )
        journey.until_step(job, "hold_rollback_window")
        (switch,) = journey.report(job)["switches"]
        row = journey.in_control(
            "SELECT max(ended_at) FROM bluegreen_control.step"
            " WHERE job = %s AND name = 'compare_rows'",
            job,
        )
        journey.bluegreen("finish", job)
        assert journey.until_ended(job) == "completed"
    assert datetime.fromisoformat(switch["at"]) - row[0] >= timedelta(seconds=DELAY_S)
    assert journey.servers.residue() == {}


def test_what_cannot_be_confirmed_within_the_timeout_is_rolled_back(journey: Journey) -> None:
    """Its server takes no new session after the switch, so that nothing can be looked at."""
    pets = Pets("unseen")
    journey.as_application(pets.table)
    with journey.two_sides() as sides, journey.shop.load() as journal:
        new_side = journey.servers.standby()
        job = journey.submit(
            "unseen.sql", pets.risky, "--type", "risky", "--timeout", str(CONFIRM_LIMIT_S)
        )
        journey.until_step_passed(job, "cutover")
        with journey.frozen(new_side):
            state = journey.until(
                job, lambda now: now["phase"] != "forward" or now["step"] == "hold_rollback_window"
            )
            assert state["phase"] == "backward", state
        assert journey.until_ended(job) == "rolled_back"
    account = journey.shop.account(journal)
    assert account.lost == account.duplicated == 0
    assert len(sides.turns()) == 3, sides.turns()
    assert f"within {CONFIRM_LIMIT_S} s" in journey.bluegreen("status", job).out
    assert journey.servers.residue() == {}

"""What is wrong, or breaks, around a pause: each gives up harmlessly or goes forward, and says so.

One pair and its pooler for the whole file; the cutover reaches green over a wire that can be cut.
Afterwards, always: one side serves, every door leads to it, nobody is held, and what was
acknowledged is there. Only where a test kills the pooler may clients see their connection break.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.migration import Job
from shared.ports import Done
from shared.runner import forward
from tests.support.cutover_step import Heard, Kept, cutover_job, cutover_step
from tests.support.cutover_switch import order, switch_of
from tests.support.cutover_world import restore_streams
from tests.support.steps import undone
from tests.support.wait import until
from tests.support.wired_pair import MAX_STALL_MS, Pair, watched
from tests.support.writers import Writers
from workers.proxy_agent.steps.cutover import Cutover

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("blue_serves")]
POOLER_AWAY_S = 0.3
LONG_S = 30.0


def expect_said(said: str, old: Colour, end: str) -> None:
    """Whoever asked for the cutover was told which way it went, or that it is still to be seen."""
    if said == "switched":
        assert end == "forward"
    elif "gave up in phase" in said:
        assert f"the application is on {old} as before" in said
        assert end == "back"
    else:
        assert "the watchdog, or the next look, brings it to its end" in said


BEFORE_COMMIT = ("after pause", "after fence", "after marker", "after catch_up", "before commit")


@pytest.mark.parametrize("point", BEFORE_COMMIT)
def test_the_network_to_green_cut_before_the_commit_point(pair: Pair, point: str) -> None:
    """The old side can be asked: it serves on, or nobody is held for long and the next look
    settles it."""
    old = pair.serving
    with watched(pair):
        said = pair.run_cut_at(point)
        assert "gave up" in said or "does not answer" in said, said
        assert pair.settled() == "back"
    assert pair.serving is old


@pytest.mark.parametrize("point", ["after commit", "after consent", "after route"])
def test_the_network_to_green_cut_behind_the_commit_point(pair: Pair, point: str) -> None:
    old = pair.serving
    with watched(pair, may_fail=True):
        said = pair.run_cut_at(point)
        end = pair.settled()
    expect_said(said, old, end)
    assert pair.serving is (old.other if end == "forward" else old)
    if point != "after commit":
        assert end == "forward"


@pytest.mark.parametrize("point", ["before pause", "after pause", "after fence", "after commit",
                                   "after route"])  # fmt: skip
def test_the_pooler_killed_around_the_fence_comes_back_on_the_side_that_serves(
    pair: Pair, point: str
) -> None:
    old = pair.serving

    def at(here: str) -> None:
        if here == point:
            pair.world.pooler.end()
            threading.Timer(POOLER_AWAY_S, pair.world.pooler.start).start()

    with watched(pair, may_fail=True):
        said = pair.run(at, reaching=point)
        end = pair.settled()
    expect_said(said, old, end)
    if point in {"after commit", "after route"}:
        assert end == "forward"
    assert pair.serving is (old.other if end == "forward" else old)


@pytest.mark.parametrize("victim", ["old", "new"])
@pytest.mark.parametrize("point", ["after fence", "before commit", "after commit"])
def test_a_lock_or_a_session_lost_in_the_pause(pair: Pair, victim: str, point: str) -> None:
    """The cutover's own session on one side is ended by somebody. Whether the attempt is decided
    then is for the new side to say: a lost session of the old one is noticed at its consent."""
    old = pair.serving
    side = old if victim == "old" else old.other

    def at(here: str) -> None:
        if here == point:
            with pair.world.admin(side) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'bluegreen/cutover'"
                )

    with watched(pair):
        said = pair.run(at, reaching=point)
        end = pair.settled()
    expect_said(said, old, end)
    committed = point == "after commit" or (point, victim) == ("before commit", "old")
    assert end == ("forward" if committed else "back")
    assert pair.serving is (old.other if end == "forward" else old)


@pytest.mark.parametrize(
    ("point", "locked", "phase"),
    [
        ("after marker", "account IN ACCESS SHARE MODE", "prepare_new"),
        ("before marker", "bluegreen_job.marker IN SHARE MODE", "catch_up"),
    ],
    ids=["a table of the new side", "the marker, so that replication stands still"],
)
def test_what_is_locked_in_the_pause_is_given_up_in_time(
    pair: Pair, point: str, locked: str, phase: str
) -> None:
    old = pair.serving
    with pair.world.admin(old.other) as admin, watched(pair):

        def at(here: str) -> None:
            if here == point:
                admin.execute("BEGIN")
                admin.execute(f"LOCK TABLE {locked}")

        said = pair.run(at, reaching=point)
        admin.execute("ROLLBACK")
        assert f"gave up in phase `{phase}`" in said
        assert pair.settled() == "back"
    assert pair.serving is old


def test_a_transaction_of_thirty_seconds_across_the_pause(pair: Pair) -> None:
    """It begins when all is ready. The cutover gives up, waits for it, and goes on behind it; the
    transaction commits, and nobody else waits longer than `--max-stall`."""
    old = pair.serving
    with watched(pair), psycopg.connect(pair.world.application_dsn) as slow:

        def at(point: str) -> None:
            if point == "before pause":
                slow.execute("UPDATE account SET balance = balance + 1 WHERE id = 9")

        began = time.monotonic()
        assert "gave up in phase `pause`" in pair.run(at)
        while (left_s := began + LONG_S - time.monotonic()) > 0:
            with pytest.raises(Transient, match="waiting for a transaction of app"):
                switch_of(pair.world).run(order(*pair.next, max_stall_ms=MAX_STALL_MS))
            time.sleep(min(left_s, 2.0))
        slow.commit()
        assert pair.serving is old
        until(lambda: pair.run() == "switched", limit_s=40, what="the cutover behind it")
    assert pair.serving is old.other


def test_a_new_side_that_refuses_the_application_is_left_again(pair: Pair) -> None:
    """Its logins fail only once it serves: the step sees no write there, and its undo goes back."""
    world = pair.world
    step, job = cutover_step(world, Kept(), Heard()), cutover_job(77)
    before = world.journal(Colour.BLUE)
    with world.admin(Colour.GREEN) as green:
        green.execute("ALTER ROLE app CONNECTION LIMIT 0")
        with Writers(world.application_dsn, count=2, first=len(before)) as writers:
            with pytest.raises(Broken, match="found none; going back"):
                until(lambda: _is_done(step, job), limit_s=60, what="an answer of the step")
            undone(step, job)
            writers.until_acknowledged(10)
        green.execute("ALTER ROLE app CONNECTION LIMIT -1")
    assert pair.serving is Colour.BLUE
    assert writers.acknowledged <= world.journal(Colour.BLUE) - before
    restore_streams(world)


def _is_done(step: Cutover, job: Job) -> bool:
    return isinstance(forward(step, job), Done)


def test_who_goes_past_the_doors_is_refused_by_the_old_side(pair: Pair) -> None:
    old = pair.serving
    client = psycopg.connect(pair.world.application_at(old), autocommit=True)
    client.execute("SELECT 1")
    with watched(pair):
        until(lambda: pair.run() == "switched", limit_s=40, what="a switch")
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(pair.world.application_at(old), connect_timeout=5)
    client.close()

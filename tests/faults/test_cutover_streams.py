"""The live stream outlasts the pause, and lands no row under names that it was not written for.

The file's names exchange two columns of one type, so that a row under the wrong ones is taken
without an error, and is wrong. The side that is opened again writes one while the other still has
those names.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from tests.support.cutover_process import CutoverProcess
from tests.support.cutover_switch import order
from tests.support.wait import until
from tests.support.wired_pair import MAX_STALL_MS, Pair, watched, wired_pair
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.side import ServerSide, opened

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("blue_serves")]
BLUE, GREEN = Colour.BLUE, Colour.GREEN
EXCHANGED = """
CREATE TABLE place (id bigint PRIMARY KEY, latitude int NOT NULL, longitude int NOT NULL);
ALTER TABLE place OWNER TO app;
CREATE FUNCTION bluegreen_job.exchange() RETURNS void LANGUAGE sql AS $$
  ALTER TABLE public.place RENAME COLUMN latitude TO kept;
  ALTER TABLE public.place RENAME COLUMN longitude TO latitude;
  ALTER TABLE public.place RENAME COLUMN kept TO longitude
$$;
CREATE OR REPLACE FUNCTION bluegreen_job.to_final() RETURNS void LANGUAGE sql AS
  'SELECT bluegreen_job.exchange()';
CREATE OR REPLACE FUNCTION bluegreen_job.to_sync() RETURNS void LANGUAGE sql AS
  'SELECT bluegreen_job.exchange()';
"""
RUNS = "SELECT subenabled FROM pg_subscription WHERE subname = %s"
ERRORS = "SELECT apply_error_count FROM pg_stat_subscription_stats WHERE subname = %s"
GUARD = "ALTER TABLE bluegreen_job.marker {} TRIGGER expect_names_of_stream"
APPLY_WAITS = """SELECT count(*) > 0 FROM pg_stat_activity
WHERE backend_type LIKE 'logical replication%%' AND wait_event_type = 'Lock'"""
FORWARD, BACK = Way.FORWARD.stream, Way.BACK.stream


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with wired_pair(18) as made:
        for colour in (GREEN, BLUE):
            with made.world.admin(colour) as admin:
                admin.execute(EXCHANGED)
        for source, target, stream in ((BLUE, GREEN, FORWARD), (GREEN, BLUE, BACK)):
            with made.world.admin(source) as admin:
                admin.execute(f"ALTER PUBLICATION {stream} ADD TABLE place")
            if stream == FORWARD:  # the other one is refreshed by its start
                with made.world.admin(target) as admin:
                    admin.execute(
                        f"ALTER SUBSCRIPTION {stream} REFRESH PUBLICATION WITH (copy_data = false)"
                    )
        yield made


def runs(pair: Pair, colour: Colour, stream: str) -> object:
    return pair.world.value(colour, RUNS, stream)


def write_place(pair: Pair, key: int) -> None:
    """As the application does, through its door, under the names of the side that serves."""
    with psycopg.connect(pair.world.application_dsn, autocommit=True, connect_timeout=10) as app:
        app.execute("INSERT INTO place (id, latitude, longitude) VALUES (%s, 1, 2)", (key,))


def places(pair: Pair, colour: Colour, key: int) -> list[tuple[int, int]]:
    with pair.world.admin(colour) as admin:
        return admin.execute(
            "SELECT latitude, longitude FROM place WHERE id = %s", (key,)
        ).fetchall()


@contextmanager
def both_sides(pair: Pair) -> Iterator[tuple[ServerSide, ServerSide]]:
    nodes = addressed_nodes(pair.settings, "bg_proxy")
    with opened(nodes[BLUE], limit_s=10) as old, opened(nodes[GREEN], limit_s=10) as new:
        yield old, new


def opened_attempt(old: ServerSide, new: ServerSide) -> Attempt:
    """As a cutover does before its pause, without the pause."""
    known = [attempt.number for side in (old, new) if (attempt := side.newest()) is not None]
    number = max(known, default=0) + 1
    attempt = Attempt(number, "20261123-7f3a", Way.FORWARD, BLUE, GREEN, returning=False)
    old.open_attempt(attempt, "old")
    new.open_attempt(attempt, "new")
    return attempt


def errors(pair: Pair) -> int:
    return int(str(pair.world.value(GREEN, ERRORS, FORWARD)))


def runs_behind_resume(pair: Pair) -> bool:
    """Switch, and say whether the stream that led there still ran when clients went on."""
    seen: list[object] = []

    def look(point: str) -> None:
        if point == "after resume":
            seen.append(runs(pair, GREEN, FORWARD))

    until(lambda: pair.run(look) == "switched", limit_s=40, what="a switch")
    return seen[-1] is True


def test_a_switch_lets_the_stream_go_on_until_nobody_waits(pair: Pair) -> None:
    with watched(pair):
        assert runs_behind_resume(pair)
    assert (runs(pair, GREEN, FORWARD), runs(pair, BLUE, BACK)) == (False, True)


def test_without_what_holds_it_back_the_stream_ends_in_the_pause(pair: Pair) -> None:
    """A job that an earlier version began has a marker without the trigger."""
    with pair.world.admin(GREEN) as green:
        green.execute(GUARD.format("DISABLE"))
        try:
            assert not runs_behind_resume(pair)
        finally:
            green.execute(GUARD.format("ENABLE REPLICA"))


def test_killed_behind_resume_whoever_settles_exchanges_the_streams(pair: Pair) -> None:
    with watched(pair):
        asked = order(Way.FORWARD, BLUE, max_stall_ms=MAX_STALL_MS)
        process = CutoverProcess.start(
            pair.settings, asked, point="after resume", number=signal.SIGKILL
        )
        assert process.end() == "killed"
        assert pair.settled() == "forward"
        assert (runs(pair, GREEN, FORWARD), runs(pair, BLUE, BACK)) == (False, True)
    until(
        lambda: pair.world.journal(BLUE) == pair.world.journal(GREEN), limit_s=20,
        what="what was written since is on the old side too",
    )  # fmt: skip


def test_a_side_that_opens_again_holds_its_stream_until_the_names_are_back(pair: Pair) -> None:
    """Green has the new names, answers nobody but blue's stream, and blue is opened again."""
    before = errors(pair)
    point = "before commit"
    said = pair.run(lambda here: pair.wire.cut() if here == point else None, reaching=point)
    assert "gave up" in said or "is not settled yet" in said, said
    until(lambda: not pair.world.value(BLUE, "SELECT bluegreen.is_fenced()"), limit_s=20,
          what="blue is open again")  # fmt: skip
    write_place(pair, 1)
    until(lambda: errors(pair) > before, limit_s=20, what="the stream is held")
    assert places(pair, GREEN, 1) == []
    pair.wire.mend()
    assert pair.settled() == "back"
    until(lambda: places(pair, GREEN, 1) == [(1, 2)], limit_s=30, what="the row lands, and rightly")
    until(lambda: pair.run() == "switched", limit_s=40, what="a switch")
    assert places(pair, GREEN, 1) == [(2, 1)]  # its columns have each other's names now


def test_an_order_that_comes_after_the_opening_changes_no_names(pair: Pair) -> None:
    with both_sides(pair) as (old, new):
        attempt = opened_attempt(old, new)
        old.fence(attempt)
        assert old.give_back(attempt) == "burnt"
        new.see_marker(f"reopened {attempt.number}", 5000)
        with pytest.raises(Transient, match="the old side is open again"):
            new.prepare_new(attempt, {})
        assert new.give_back(attempt) == "burnt"
    write_place(pair, 2)
    until(lambda: places(pair, GREEN, 2) == [(1, 2)], limit_s=20, what="the row lands")


def test_names_and_opening_at_the_same_moment_are_one_after_the_other(pair: Pair) -> None:
    """The renaming transaction is still open when the opening arrives: the stream waits for it."""
    before = errors(pair)
    with both_sides(pair) as (old, new), pair.world.admin(GREEN) as renaming:
        attempt = opened_attempt(old, new)
        old.fence(attempt)
        renaming.execute("BEGIN")
        renaming.execute("SELECT bluegreen.prepare_new(%s, '{}')", (attempt.number,))
        assert old.give_back(attempt) == "burnt"
        until(lambda: pair.world.value(GREEN, APPLY_WAITS) is True, limit_s=10,
              what="the stream waits for the names")  # fmt: skip
        renaming.execute("COMMIT")
        write_place(pair, 3)
        until(lambda: errors(pair) > before, limit_s=20, what="the stream is held")
        assert places(pair, GREEN, 3) == []
        assert new.give_back(attempt) == "burnt"
    until(lambda: places(pair, GREEN, 3) == [(1, 2)], limit_s=30, what="the row lands, and rightly")

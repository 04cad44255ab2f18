"""What no stream carries ends a cutover before the pause, or makes its pause give up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.facts import Verdict
from shared.domain.migration import Job
from shared.ports import Node, Pending
from shared.runner import forward
from tests.support.cutover_step import Heard, Kept, cutover_job, cutover_step
from tests.support.cutover_world import World, cutover_world, restore_streams
from tests.support.steps import done, undone
from tests.support.wait import until
from workers.proxy_agent.carried import expect_carried
from workers.validator import partition_files

NUMBERS = itertools.count(1)
TABLES = """
CREATE UNLOGGED TABLE cache (id int PRIMARY KEY);
CREATE TABLE days (day int, n int, PRIMARY KEY (day, n)) PARTITION BY LIST (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);
CREATE TABLE day_2 PARTITION OF days FOR VALUES IN (2);
"""
FILL = "INSERT INTO days SELECT day, n FROM generate_series(1, 2) day, generate_series(1, 9) n"
COUNT = "SELECT count(*) FROM days"
EMPTIED = "expected partition day_2 of public.days as it was compared, found it emptied"
LOST = [
    ["TRUNCATE day_2"],
    ["VACUUM FULL day_2", "TRUNCATE day_2", "INSERT INTO days VALUES (2, 77)"],
    ["VACUUM FULL days", "TRUNCATE day_2"],
    ["TRUNCATE day_2, day_1"],
    ["TRUNCATE days", "INSERT INTO days VALUES (1, 1), (2, 2)", "TRUNCATE day_2"],
]
CARRIED = [
    ["VACUUM FULL day_2"],
    ["CLUSTER day_2 USING day_2_pkey", "INSERT INTO days VALUES (2, 78)", "VACUUM FULL days"],
    ["TRUNCATE days"],
    ["VACUUM FULL day_2", "TRUNCATE days", "INSERT INTO days VALUES (2, 79)"],
    ["DELETE FROM days WHERE day = 2"],
]


@pytest.fixture(scope="module", params=[15, 18])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with cutover_world(request.param, more=TABLES, tables="account, journal, days") as world:
        yield world


@pytest.fixture
def nodes(world: World) -> dict[Colour, Node]:
    """With the same rows of `days` on both sides, and none in `cache`."""
    for side in (Colour.GREEN, Colour.BLUE):
        run(world, "TRUNCATE days", "TRUNCATE cache", side=side)
    run(world, FILL)
    follows(world)
    return dict(addressed_nodes(world.settings, "bg_proxy"))


def run(world: World, *statements: str, side: Colour = Colour.BLUE) -> None:
    with world.admin(side) as admin:
        for statement in statements:
            admin.execute(statement)


def follows(world: World) -> None:
    """Green has what blue committed."""
    number = next(NUMBERS)
    run(world, f"INSERT INTO bluegreen_job.marker (token) VALUES ('follows {number}')")
    seen = "SELECT count(*) FROM bluegreen_job.marker WHERE token = %s"
    until(lambda: world.value(Colour.GREEN, seen, f"follows {number}") == 1, limit_s=10, what=seen)


def compared(nodes: dict[Colour, Node], job: Job) -> Job:
    """The job, with what the comparison found before it began."""
    with nodes[Colour.BLUE].session() as source, nodes[Colour.GREEN].session() as target:
        files = partition_files.read(source, target)
    assert len(files.source) == 2
    facts = {Verdict.step: Verdict.of(job).model_copy(update={"files": files}).model_dump()}
    return job.model_copy(update={"facts": {**job.facts, **facts}})


@pytest.mark.parametrize("statements", LOST, ids="; ".join)
def test_a_partition_emptied_by_itself_behind_the_comparison_is_refused(
    world: World, nodes: dict[Colour, Node], statements: list[str]
) -> None:
    job = compared(nodes, cutover_job(next(NUMBERS)))
    run(world, *statements)
    follows(world)
    assert world.value(Colour.BLUE, COUNT) != world.value(Colour.GREEN, COUNT)
    with pytest.raises(Refused, match=EMPTIED.replace("day_2", "day_[12]")):
        expect_carried(job, nodes[Colour.BLUE], nodes[Colour.GREEN])


@pytest.mark.parametrize("statements", CARRIED, ids="; ".join)
def test_what_is_carried_or_changes_no_row_is_not(
    world: World, nodes: dict[Colour, Node], statements: list[str]
) -> None:
    job = compared(nodes, cutover_job(next(NUMBERS)))
    run(world, *statements)
    follows(world)
    assert world.value(Colour.BLUE, COUNT) == world.value(Colour.GREEN, COUNT)
    watched = expect_carried(job, nodes[Colour.BLUE], nodes[Colour.GREEN])
    assert len(watched.files) == 2
    assert len(watched.unlogged) == 1


def test_rows_in_an_unlogged_table_are_refused(world: World, nodes: dict[Colour, Node]) -> None:
    step, job = cutover_step(world, Kept(), Heard()), cutover_job(next(NUMBERS))
    run(world, "INSERT INTO cache VALUES (1)")
    with pytest.raises(Refused, match=r"unlogged tables of blue.* in cache"):
        forward(step, job)


def once(act: Callable[[], None]) -> Callable[[str], None]:
    """For `Switch.at`: at the last moment before the pause of the first attempt."""
    left = ["before pause"]

    def at(moment: str) -> None:
        if moment in left:
            left.remove(moment)
            act()

    return at


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("TRUNCATE day_2", EMPTIED),
        ("INSERT INTO cache VALUES (1)", "expected no rows in unlogged tables"),
        ("VACUUM FULL day_2", ""),
    ],
)
def test_between_the_look_and_the_fence_the_pause_gives_up_and_the_next_look_says_why(
    world: World, nodes: dict[Colour, Node], statement: str, refused: str
) -> None:
    at = once(lambda: run(world, statement))
    step = cutover_step(world, Kept(), Heard(), at=at)
    job = compared(nodes, cutover_job(next(NUMBERS)))
    answer = forward(step, job)
    assert isinstance(answer, Pending)
    assert "gave up in phase `prepare_old`" in answer.sentence
    assert "emptied, rewritten or filled" in answer.sentence
    assert world.value(Colour.BLUE, "SELECT NOT bluegreen.is_fenced()")
    if refused:
        with pytest.raises(Refused, match=refused):
            forward(step, job)
        undone(step, job)
        return
    assert "green serves" in done(step, job).sentence
    undone(step, job)
    restore_streams(world)

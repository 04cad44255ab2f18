"""Live statements that the cutover would break are found before it, and named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.errors import Refused
from shared.ports import Done
from shared.runner import forward
from tests.support.shapes import FILE, ROWS, SCHEMA
from tests.support.two_shapes import TwoShapes, two_shapes
from tests.support.validator_node import job_for, nodes_of
from workers.validator.steps.check_statements import CheckStatements

HARMLESS = ("SELECT * FROM users WHERE id = 1", "UPDATE events SET n = n + 1 WHERE id = 1")


@pytest.fixture(scope="module")
def world() -> Iterator[TwoShapes]:
    recorded = {"shared_preload_libraries": "pg_stat_statements"}
    with two_shapes(15, SCHEMA, ROWS, FILE, **recorded) as made:
        made.run(made.source, "CREATE EXTENSION pg_stat_statements")
        made.fork()
        made.apply()
        yield made


def use(world: TwoShapes, *statements: str) -> None:
    """Run each twice, as the application, and nothing else is on record."""
    world.run(world.source, "SELECT pg_stat_statements_reset()", user="postgres")
    for _ in range(2):
        world.run(world.source, *statements, user="app")


def test_statements_that_fit_both_shapes_pass(world: TwoShapes) -> None:
    use(world, *HARMLESS)
    answer = forward(CheckStatements(nodes_of(world), "app"), job_for(world))
    assert isinstance(answer, Done)
    assert answer.facts == {
        "statements": 2, "broken": [], "set_aside": [], "slower": [], "seen": True,
    }  # fmt: skip


def test_statements_that_break_are_named_and_stop_the_job(world: TwoShapes) -> None:
    use(
        world,
        *HARMLESS,
        "SELECT mail FROM users WHERE id = 1",
        "INSERT INTO orders (user_id) VALUES (1)",
        "SELECT what FROM audit",
    )
    step = CheckStatements(nodes_of(world), "app")
    with pytest.raises(Refused, match="3 of 5 live statements would fail") as found:
        forward(step, job_for(world))
    for reason in (
        'SELECT mail FROM users WHERE id = $1 (column "mail" does not exist)',
        'INSERT INTO orders (user_id) VALUES ($1) (relation "orders" does not exist)',
        'SELECT what FROM audit (relation "audit" does not exist)',
    ):
        assert reason in found.value.message
    assert world.rows_of(world.target, "SELECT state FROM bluegreen_job.names") == [("sync",)]


def test_broken_statements_may_be_accepted(world: TwoShapes) -> None:
    use(world, "SELECT mail FROM users WHERE id = 1")
    step = CheckStatements(nodes_of(world), "app")
    assert isinstance(forward(step, job_for(world, accept_broken_statements=True)), Done)


OLD = "/* bluegreen: by shape */ SELECT mail FROM users WHERE id = 1"


def test_a_statement_that_its_sender_chose_by_shape_is_set_aside_and_named(
    world: TwoShapes,
) -> None:
    use(world, OLD, *HARMLESS)
    answer = forward(CheckStatements(nodes_of(world), "app"), job_for(world))
    assert isinstance(answer, Done)
    assert answer.facts["statements"] == 2
    (aside,) = answer.facts["set_aside"]
    assert 'column "mail" does not exist' in aside
    use(world, OLD, "-- why\nSELECT what FROM audit")
    with pytest.raises(Refused, match=r'1 of 1 .*relation "audit" does not exist'):
        forward(CheckStatements(nodes_of(world), "app"), job_for(world))


def test_a_list_of_queries_counts_instead_of_the_record(world: TwoShapes) -> None:
    use(world, "SELECT mail FROM users WHERE id = 1")
    step = CheckStatements(nodes_of(world), "app")
    new = ("SELECT email FROM users WHERE id = $1", "INSERT INTO purchases (user_id) VALUES ($1)")
    answer = forward(step, job_for(world, queries=new))
    assert isinstance(answer, Done)
    assert answer.facts["statements"] == 2
    assert len(answer.facts["set_aside"]) == 1
    with pytest.raises(Refused, match=r"1 of 2 .*phone"):
        forward(step, job_for(world, queries=(*new[:1], "SELECT phone FROM users")))


def test_without_a_record_the_step_says_so(world: TwoShapes) -> None:
    world.run(world.source, "DROP EXTENSION pg_stat_statements")
    try:
        answer = forward(CheckStatements(nodes_of(world), "app"), job_for(world))
        assert isinstance(answer, Done)
        assert answer.facts["seen"] is False
    finally:
        world.run(world.source, "CREATE EXTENSION pg_stat_statements")

"""What is usual is measured under real traffic; confirm and the report compare with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.doors.door_probe import PooledDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health.statement_statistics import statements_of
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.kinds import Kind
from tests.support.command_line import CalledHere
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from tests.support.watched import watching
from tests.support.writers import TABLES, Writers
from workers.health_monitor.speed import Speed
from workers.health_monitor.steps.confirm import Confirm
from workers.health_monitor.steps.preflight import Preflight
from workers.health_monitor.traffic_watch import TrafficWatch


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as app:
            app.execute(TABLES)
        yield stack


def truncated(stack: Stack) -> None:
    with stack.connect("app") as app:
        app.execute("TRUNCATE journal")


def test_a_baseline_is_measured_under_traffic_kept_and_shown(
    bluegreen: CalledHere, stack: Stack
) -> None:
    with stack.connect("control") as control:
        control.execute("DELETE FROM bluegreen_control.baseline")
    none = bluegreen("baseline", "show")
    assert (none.code, "baseline update" in none.err) == (2, True)
    truncated(stack)
    with Writers(stack.doors["app"], 4) as writers:
        before = len(writers.acknowledged)
        body = bluegreen("baseline", "update", "--seconds", "4", "--json").body
        passed = len(writers.acknowledged) - before
    assert body["side"] == "blue"
    assert 4 <= body["seconds"] < 30
    measured = body["transactionsPerSecond"] * body["seconds"]
    # Ours come on top: a login and five queries every half second.
    assert passed * 0.5 < measured < passed * 1.5 + 20 * body["seconds"]
    for name in ("doorMs", "roundTripMs", "transactionMs"):
        spread = body[name]
        assert 0 < spread["p50"] <= spread["p95"] <= spread["p99"], name
    assert body["clients"] >= 4
    with stack.connect("blue") as blue:
        is_there = blue.execute(
            "SELECT 1 FROM pg_settings WHERE name = 'shared_preload_libraries' "
            "AND setting LIKE '%pg_stat_statements%'"
        ).fetchone()
    if is_there:
        assert any("INSERT INTO journal" in each["query"] for each in body["queries"])
    shown = bluegreen("baseline", "show", "--json").body
    assert shown == body
    assert "transactions a second" in bluegreen("baseline", "show").out
    checks = {check["name"]: check for check in bluegreen("health", "--json").body["checks"]}
    assert "the baseline is" in checks["door.response_time"]["sentence"]


def test_what_the_migrator_runs_is_none_of_the_applications_statements(stack: Stack) -> None:
    with stack.connect("blue") as blue:
        preloaded = blue.execute("SHOW shared_preload_libraries").fetchone()
        if preloaded is None or "pg_stat_statements" not in preloaded[0]:
            pytest.skip("pg_stat_statements is not installed here")
        blue.execute("SET ROLE bg_owner")
        blue.execute("SELECT 'of the owner', count(*) FROM bluegreen.exempt_role")
    with stack.connect("app") as app:
        app.execute("INSERT INTO bluegreen.probe DEFAULT VALUES")
        app.execute("SELECT count(*) FROM journal")
    found = statements_of(make_nodes(stack.settings, "bg_health")[Colour.BLUE], "app")
    assert any("FROM journal" in query for query in found)
    assert [query for query in found if "bluegreen." in query] == []


def test_an_update_accepts_a_schema_that_was_changed_by_hand(
    bluegreen: CalledHere, stack: Stack, tmp_path: Path
) -> None:
    with watching(stack, tmp_path, slow_period_s=0.001) as watched, stack.connect("blue") as blue:
        watched.is_well("schema.consistent")
        blue.execute("CREATE TABLE by_hand (id int PRIMARY KEY)")
        watched.raises("schema.consistent")
        assert bluegreen("baseline", "update", "--seconds", "1").code == 0
        watched.clears("schema.consistent")


def steps(stack: Stack, store: HealthStore, baselines: BaselineStore) -> tuple[Preflight, Confirm]:
    nodes, door = make_nodes(stack.settings, "bg_health"), PooledDoor(stack.settings)
    pooler = partial(read_pooler, stack.settings)
    speed = Speed(pooler, now, lambda: baselines.current("app"))
    return (
        Preflight(nodes, pooler, door, store, "app", ("postgres",), now, speed),
        Confirm(TrafficWatch(nodes, door, store, now, speed)),
    )


def test_transactions_that_became_slow_are_not_confirmed(stack: Stack, tmp_path: Path) -> None:
    """A trigger that sleeps: nothing fails, the door answers, and every write takes 0.3 s."""
    truncated(stack)
    with watching(stack, tmp_path) as watched:
        baselines = BaselineStore(watched.database)
        preflight, confirm = steps(stack, watched.store, baselines)
        job = a_job(Kind.RISKY, id="job-slow")
        with stack.connect("blue") as blue, Writers(stack.doors["app"], 4) as writers:
            done(preflight, job)
            writers.until_acknowledged(40)
            confirm.do(job)
            blue.execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END$$"
            )
            blue.execute(
                "CREATE TRIGGER slow BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION slow()"
            )
            try:
                with pytest.raises(Broken, match="a transaction takes"):
                    done(confirm, job)
            finally:
                blue.execute("DROP FUNCTION slow CASCADE")


def test_the_control_database_keeps_baselines_apart(stack: Stack) -> None:
    database = ControlDatabase(stack.settings, application_name="test")
    assert BaselineStore(database).current("another") is None
    database.close()

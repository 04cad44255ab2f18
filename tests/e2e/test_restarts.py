"""What is stopped, restarted or taken away in the middle of a job comes back and goes on."""

from __future__ import annotations

import time

import psycopg
import pytest

from tests.support.compose_stack import CONTROLLER, ComposeJourney, ComposeStack
from tests.support.files import Pets

RUN = f"{int(time.time()):x}"
CUTOVER_LIMIT_S = 400
AGENTS = (
    CONTROLLER, "validator", "backup", "replicator", "proxy-agent", "health-monitor", "keeper",
    "redis", "flower",
)  # fmt: skip
SERVERS_AND_DOORS = (
    "postgres-control", "postgres-scratch", "postgres-blue", "postgres-green", "pooler",
    "migration-proxy",
)  # fmt: skip


@pytest.fixture
def pets(journey: ComposeJourney, request: pytest.FixtureRequest) -> Pets:
    found = Pets(f"{request.node.name[5:25]}_{RUN}")
    journey.as_application(found.table)
    return found


def test_every_agent_and_redis_upgraded_in_mid_job_and_restarted_at_once_under_load(
    stack: ComposeStack, journey: ComposeJourney, pets: Pets
) -> None:
    """First each container made anew, one after the other, while the job goes on; then all at
    once, as when the host comes back."""
    with journey.shop.load(rate=50) as journal:
        job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
        for service in AGENTS:
            upgrade = ("up", "-d", "--no-deps", "--force-recreate", "--timeout", "20", service)
            said = stack.compose(*upgrade)
            assert said.code == 0, said.err
        journey.until_step(job, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
        said = stack.compose("restart", "--timeout", "20", *AGENTS)
        assert said.code == 0, said.err
        stack.up()
        assert journey.bluegreen("finish", job).code == 0
        assert journey.until_ended(job, within_s=CUTOVER_LIMIT_S) == "completed"
    account = journey.shop.account(journal)
    assert account.clean, account


def test_a_waiting_job_survives_down_and_up_and_a_restart_of_each_server_and_door(
    stack: ComposeStack, journey: ComposeJourney, pets: Pets
) -> None:
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky", "--hold")
    journey.until_step(job, "hold_for_approval", within_s=CUTOVER_LIMIT_S)
    stack.down()
    stack.up()
    assert journey.status(job)["outcome"] is None
    assert journey.bluegreen("approve", job, "--detach").code == 0
    journey.until_step(job, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
    for service in SERVERS_AND_DOORS:
        assert stack.compose("restart", "--timeout", "20", service).code == 0
    stack.up()
    journey.until_written(f"INSERT INTO {pets.name} (id, called, weight) VALUES (9001, 'new', 1)")
    assert journey.bluegreen("finish", job).code == 0
    assert journey.until_ended(job, within_s=CUTOVER_LIMIT_S) == "completed"
    assert journey.count(f"{pets.name} WHERE id = 9001") == 1


def test_two_of_each_worker_share_the_work(stack: ComposeStack, journey: ComposeJourney) -> None:
    words = [word for name in ("validator", "replicator") for word in ("--scale", f"{name}=2")]
    stack.up(*words)
    try:
        job = journey.submit(
            f"scaled_{RUN}.sql", f"CREATE TABLE scaled_{RUN} (id bigint PRIMARY KEY);"
        )
        assert journey.until_ended(job) == "completed"
        said = stack.execute(CONTROLLER, "bluegreen", "doctor")
        assert said.code == 0, said.out
    finally:
        stack.up("--scale", "validator=1", "--scale", "replicator=1")


def test_a_door_restarted_leads_to_the_side_that_serves(
    stack: ComposeStack, journey: ComposeJourney
) -> None:
    """A restart cuts its connections, and a new one reaches the serving side again."""
    status = stack.execute("migration-proxy", "bluegreen", "proxy", "status", "--json").body
    for service in ("pooler", "migration-proxy"):
        assert stack.compose("restart", "--timeout", "5", service).code == 0
        stack.up()
        for door in ("app", "direct"):
            with psycopg.connect(journey.doors[door]) as session:
                (name,) = session.execute("SHOW cluster_name").fetchone() or ("",)
            assert name.endswith(status["pooled"])


def test_a_server_told_to_stop_by_the_engine_comes_back_as_what_it_was(
    stack: ComposeStack, journey: ComposeJourney
) -> None:
    standby = next(
        colour
        for colour in ("blue", "green")
        if stack.sql(f"postgres-{colour}", "SELECT pg_is_in_recovery()", "postgres") == "t"
    )
    assert stack.compose("restart", f"postgres-{standby}").code == 0
    stack.up()
    assert stack.sql(f"postgres-{standby}", "SELECT pg_is_in_recovery()", "postgres") == "t"
    journey.as_application(f"CREATE TABLE streams_{RUN} (id bigint PRIMARY KEY)")
    deadline = time.monotonic() + 60
    found = f"SELECT to_regclass('streams_{RUN}') IS NOT NULL"
    while stack.sql(f"postgres-{standby}", found) != "t":
        assert time.monotonic() < deadline, "the standby does not stream again"
        time.sleep(0.5)

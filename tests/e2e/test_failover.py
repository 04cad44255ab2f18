"""A server of the stack is killed: who decides, what is lost, and as what the dead one returns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.support.compose_stack import CONTROLLER, ComposeJourney, ComposeStack
from tests.support.wait import until
from tests.support.writers import TABLES, Writers

MONITOR = "health-monitor"
WRITERS = 8
REST_LIMIT_S = 120
WRITABLE_LIMIT_S = 60
"""Measured: 6 to 8 s. A slow host is no failure."""


def serving(stack: ComposeStack) -> str:
    said = stack.execute("migration-proxy", "bluegreen", "proxy", "status", "--json")
    assert said.code == 0, said.err
    return str(said.body["pooled"])


def dies(stack: ComposeStack, side: str) -> None:
    """As when its host is switched off: at once, and nobody starts it again."""
    said = stack.docker("kill", stack.name_of(f"postgres-{side}"))
    assert said.code == 0, said.err


def is_a_standby(stack: ComposeStack, side: str) -> bool | None:
    """None: it does not answer, or not yet."""
    said = stack.execute(f"postgres-{side}", "psql", "-U", "postgres", "-XAtc",
                         "SELECT pg_is_in_recovery()")  # fmt: skip
    return None if said.code != 0 else said.out.strip() == "t"


def until_at_rest(stack: ComposeStack, active: str) -> None:
    """The dead one streams from the new active side; at no look before did it take writes."""
    old = {"blue": "green", "green": "blue"}[active]
    streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    healed = "SELECT count(*) FROM bluegreen.failover WHERE healed_at IS NULL"

    def holds() -> bool:
        assert is_a_standby(stack, old) is not False, f"{old} takes writes"
        server = f"postgres-{active}"
        return stack.sql(server, streams) == "1" and stack.sql(server, healed) == "0"

    until(holds, limit_s=REST_LIMIT_S, what=f"{old} is the standing standby")


@contextmanager
def writers(journey: ComposeJourney) -> Iterator[Writers]:
    """At the end every acknowledged row is on the side that serves."""
    journey.as_application("DROP TABLE IF EXISTS account, journal;" + TABLES)
    with Writers(journey.doors["app"], WRITERS) as found:
        yield found
    with psycopg.connect(journey.doors["app"]) as session:
        written = set(session.execute("SELECT writer, n FROM journal").fetchall())
    assert found.acknowledged - written == set()


def alerted(stack: ComposeStack) -> str:
    """What the raised alert says; empty: none is raised."""
    said = stack.execute(CONTROLLER, "bluegreen", "alerts", "list", "--json")
    assert said.code == 0, said.err
    return next((a["sentence"] for a in said.body["alerts"] if a["name"] == "failover"), "")


def test_a_person_is_told_and_decides_and_nothing_acknowledged_is_lost(
    stack: ComposeStack, journey: ComposeJourney
) -> None:
    old = serving(stack)
    alive = stack.execute(MONITOR, "bluegreen", "failover")
    assert (alive.code, "nothing was touched" in alive.err) == (3, True), alive.err
    with writers(journey) as at_work:
        dies(stack, old)
        until(lambda: alerted(stack), limit_s=60, what="a person is told")
        assert "`bluegreen failover`" in alerted(stack)
        assert serving(stack) == old
        elsewhere = stack.execute(CONTROLLER, "bluegreen", "failover")
        assert elsewhere.code == 2
        assert "exec health-monitor bluegreen failover" in elsewhere.err
        told = stack.execute(MONITOR, "bluegreen", "failover", "--json")
        assert told.code == 0, told.err
        assert told.body["missing"] == []
        # Somebody starts the dead one by hand, before anything was done for it.
        stack.docker("start", stack.name_of(f"postgres-{old}"))
        at_work.until_acknowledged(5 * WRITERS, limit_s=WRITABLE_LIMIT_S)
    assert serving(stack) != old
    until_at_rest(stack, serving(stack))
    until(lambda: not alerted(stack), limit_s=60, what="the alert is cleared")


@pytest.fixture
def auto(stack: ComposeStack) -> Iterator[None]:
    """The policy `auto`, as `.env` would say it."""
    stack.environment["BLUEGREEN_FAILOVER"] = "auto"
    obeyed_by_the_monitor(stack)
    try:
        yield
    finally:
        del stack.environment["BLUEGREEN_FAILOVER"]
        obeyed_by_the_monitor(stack)


def obeyed_by_the_monitor(stack: ComposeStack) -> None:
    said = stack.compose("run", "--rm", "--no-deps", "-T", "prepare")
    assert said.code == 0, said.err
    name = stack.name_of(MONITOR)
    assert stack.docker("restart", name).code == 0
    health = ("inspect", "-f", "{{.State.Health.Status}}", name)
    until(lambda: stack.docker(*health).out.strip() == "healthy", limit_s=60, what="it looks again")


def test_with_auto_the_standby_takes_over_and_up_brings_the_dead_one_back_as_its_standby(
    stack: ComposeStack, journey: ComposeJourney, auto: None
) -> None:
    old = serving(stack)
    with writers(journey) as at_work:
        began = time.monotonic()
        dies(stack, old)
        before = len(at_work.acknowledged)
        at_work.until_acknowledged(WRITERS, limit_s=WRITABLE_LIMIT_S)
        took_s = time.monotonic() - began
        print(f"writable after {took_s:.1f} s; {before} acknowledged before")
        stack.note("failover", {"writableAfterSeconds": round(took_s, 1)})
        assert serving(stack) != old
        stack.up()
        until_at_rest(stack, serving(stack))
    with psycopg.connect(journey.doors["direct"]) as session:
        assert session.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

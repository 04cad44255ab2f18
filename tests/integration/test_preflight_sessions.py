"""The pooler and the sessions at the doors, as preflight finds them: refused, or warned of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.pooler.pooler_console import console
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from tests.support.preflighted import JOB, Notes, sound_preflight, stack_of_users, warnings_within
from tests.support.stack import Stack
from tests.support.steps import a_job, done
from workers.health_monitor.steps.preflight import Preflight
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Order, Switch


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with stack_of_users() as stack:
        yield stack


@pytest.fixture
def preflight(stack: Stack) -> Preflight:
    return sound_preflight(stack)


def test_a_pooler_that_would_not_hold_clients_is_refused(
    stack: Stack, preflight: Preflight
) -> None:
    with console(stack.settings) as pooler:
        pooler.execute(b"SET pool_mode = session")
        try:
            with pytest.raises(Refused, match="expected transaction pooling, found session"):
                done(preflight, JOB)
        finally:
            pooler.execute(b"SET pool_mode = transaction")
    with pytest.raises(Refused, match="query_wait_timeout"):
        done(preflight, a_job(options={"max_stall_ms": 60_000}))


def test_a_wrong_password_of_the_pooler_is_said_before_anything_begins(
    stack: Stack, preflight: Preflight, tmp_path: Path
) -> None:
    """By preflight, and by a cutover before its pause: nobody is held."""
    secrets = tmp_path / "secrets"
    shutil.copytree(stack.settings.secrets_dir, secrets)
    (secrets / stack.settings.pooler.admin_user).write_text("wrong")
    settings = stack.settings.model_copy(update={"secrets_dir": secrets})
    with pytest.raises(Refused, match="the pooler's admin console to answer, found nobody"):
        done(replace(preflight, read_pooler=lambda: read_pooler(settings)), JOB)
    nodes = make_nodes(settings, "bg_proxy")
    switch = Switch(nodes, PgBouncer(settings), SymlinkDoor(settings), watchdogs(settings))
    with pytest.raises(Transient, match=r"admin console: .*(SASL|password) authentication failed"):
        switch.run(Order(JOB.id, Way.FORWARD, Colour.BLUE, True, 500))
    assert not PgBouncer(stack.settings).is_paused()


def past_the_doors(stack: Stack, application: str = "") -> psycopg.Connection:
    port = stack.settings.nodes[Colour.BLUE].port
    return psycopg.connect(stack.doors["app"], port=port, application_name=application)


def test_sessions_past_the_doors_are_refused_unless_the_settings_name_them(
    stack: Stack, preflight: Preflight
) -> None:
    with (
        past_the_doors(stack, "reports") as bypassing,
        psycopg.connect(stack.doors["app"]) as pooled,
        psycopg.connect(stack.doors["direct"]) as direct,
    ):
        for connection in (bypassing, pooled, direct):
            connection.execute("SELECT 1")
        with pytest.raises(Refused, match=r"1 sessions came .*\(app from 127\.0\.0\.1 \(reports"):
            done(preflight, JOB)
        done(replace(preflight, exempt_applications=("reports",)), JOB)
        done(replace(preflight, exempt=("postgres", "app"), observations=Notes()), JOB)


def test_long_transactions_and_what_sessions_of_the_pool_hold_are_warned_of(
    stack: Stack, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.health_monitor.server_facts.LONG_S", 0.0)
    with psycopg.connect(stack.doors["direct"]) as direct:
        direct.execute("SELECT pg_advisory_lock(7)")
        warnings = warnings_within(preflight, r"^\d transactions are open for long")
        assert not any("in the pool, found" in warning for warning in warnings)
        with psycopg.connect(stack.doors["app"], autocommit=True) as pooled:
            pooled.execute("SELECT pg_advisory_lock(8)")
            warnings_within(preflight, r"in the pool, found .*a session lock of app")
            pooled.execute("SELECT pg_advisory_unlock_all()")
            pooled.execute("LISTEN news")
            warnings_within(preflight, r"in the pool, found .*LISTEN of app")
            pooled.execute("UNLISTEN *")
            pooled.execute("CREATE TEMP TABLE basket (n int)")
            warnings_within(preflight, r"in the pool, found .*a temporary table of app")
            pooled.execute("DROP TABLE basket")


def test_what_sessions_of_the_pool_keep_is_warned_of(stack: Stack, preflight: Preflight) -> None:
    with (
        psycopg.connect(stack.doors["app"], autocommit=True) as pooled,
        psycopg.connect(stack.doors["direct"], autocommit=True) as direct,
    ):
        direct.execute("LISTEN news")
        pooled.execute("SELECT pg_advisory_lock(7)")
        warnings = done(preflight, JOB).facts["warnings"]
        pooled.execute("SELECT pg_advisory_unlock_all()")
    assert any("no state of a session in the pool, found a session lock of app" in w
               for w in warnings)  # fmt: skip

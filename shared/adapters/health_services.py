"""Checks of what stands around the servers: doors, pooler, Redis, control database, agents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.adapters import redis_bus
from shared.adapters.celery_client import ping_agents
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.door_probe import PooledDoor
from shared.adapters.pooler_facts import read_pooler
from shared.adapters.postgres import connect
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult, Severity
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings

LIMIT_S = 2.0
FULL = 0.9
UNVERIFIED_LIMIT = timedelta(hours=1)
ROLE = AGENT_ROLES["health-monitor"]
_NEWEST_POINT = """
    SELECT name, taken_at, verified_at FROM bluegreen_control.rollback_point
    WHERE gone_at IS NULL AND NOT unused AND database = %s
    ORDER BY taken_at DESC LIMIT 1"""


def unhealthy(name: str, error: MigrationError, severity: Severity = "critical") -> CheckResult:
    return CheckResult(name, False, error.message, severity)


def check_pooled_door(settings: Settings) -> Iterator[CheckResult]:
    try:
        ms = PooledDoor(settings).round_trip_ms(limit_s=LIMIT_S)
    except MigrationError as error:
        yield unhealthy("door.pooled", error)
        return
    yield CheckResult("door.pooled", True, f"a login and a query took {ms:.1f} ms", value=ms)


def check_direct_door(settings: Settings) -> Iterator[CheckResult]:
    try:
        with connect(
            host=settings.doors.host,
            port=settings.doors.direct_port,
            database=settings.database,
            user=ROLE,
            password=settings.secret(ROLE),
            limit_s=LIMIT_S,
            connect_limit_s=LIMIT_S,
            application_name="bluegreen/probe",
        ) as session:
            side = session.value("SELECT current_setting('cluster_name')")
    except MigrationError as error:
        yield unhealthy("door.direct", error)
        return
    yield CheckResult("door.direct", True, f"it leads to {side}")


def check_pooler(settings: Settings) -> Iterator[CheckResult]:
    try:
        facts = read_pooler(settings)
    except MigrationError as error:
        yield unhealthy("pooler.console", error)
        return
    yield CheckResult("pooler.console", True, "the pooler's console answers")
    yield CheckResult(
        "pooler.clients",
        facts.clients < FULL * facts.max_clients,
        f"{facts.clients} of {facts.max_clients} clients are connected to the pooler",
        value=facts.clients,
    )
    yield CheckResult(
        "pooler.waiting",
        facts.waiting == 0,
        f"{facts.waiting} clients wait for a connection to the server",
        value=facts.waiting,
    )


def check_redis(settings: Settings) -> Iterator[CheckResult]:
    try:
        redis_bus.check(settings)
    except MigrationError as error:
        yield unhealthy("redis.available", error)
        return
    yield CheckResult("redis.available", True, "Redis answers")
    try:
        answers = ping_agents(settings, limit_s=LIMIT_S)
    except MigrationError as error:
        yield unhealthy("redis.available", error)
        return
    for agent, seconds in answers.items():
        sentence = (
            f"{agent} did not run a task within {LIMIT_S:.0f} s"
            if seconds is None
            else f"a task through the queue of {agent} took {seconds * 1000:.0f} ms"
        )
        yield CheckResult(f"agent.{agent}", seconds is not None, sentence, value=seconds)


def check_control(settings: Settings, database: ControlDatabase) -> Iterator[CheckResult]:
    """The control database, and what it says of the newest rollback point."""
    try:
        with database.session() as session:
            newest = session.row(_NEWEST_POINT, (settings.database,))
    except MigrationError as error:
        yield unhealthy("control.available", error)
        return
    yield CheckResult("control.available", True, "the control database answers")
    yield _rollback_point(newest)


def _rollback_point(newest: tuple[str, datetime, datetime | None] | None) -> CheckResult:
    name = "rollback_point.verified"
    if newest is None:
        return CheckResult(name, True, "no rollback point was needed yet")
    point, taken_at, verified_at = newest
    if verified_at is None:
        overdue = datetime.now(UTC) - taken_at > UNVERIFIED_LIMIT
        return CheckResult(name, not overdue, f"{point} is not verified")
    return CheckResult(
        name,
        True,
        f"{point} was verified at {verified_at:%F %H:%M} UTC",
        value=verified_at.timestamp(),
    )

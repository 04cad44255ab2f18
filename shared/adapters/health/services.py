"""Checks of what stands around the servers: doors, pooler, Redis, agents."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from shared.adapters.doors.door_probe import PooledDoor
from shared.adapters.pooler.pooler_facts import PoolerWatch
from shared.adapters.postgres import connect
from shared.adapters.queue.celery_client import AgentPing
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult, Severity
from shared.domain.objects import AGENT_ROLES
from shared.domain.pooler import PoolerFacts
from shared.settings import Settings

LIMIT_S = 2.0
ROLE = AGENT_ROLES["health-monitor"]
RESPONSES = 5
"""Response time is the median of so many looks."""
WAITING_FAIRLY_S = 1.0
"""A client that waits for less only takes its turn."""


def unhealthy(name: str, error: MigrationError, severity: Severity = "critical") -> CheckResult:
    return CheckResult(name, False, error.message, severity)


@dataclass
class DoorChecks:
    """Both doors as a client meets them: a login and a query, timed."""

    settings: Settings
    usual_ms: float | None = None
    """Of the stored baseline; None without one."""
    _responses: deque[float] = field(init=False, default_factory=lambda: deque(maxlen=RESPONSES))

    def pooled(self) -> Iterator[CheckResult]:
        try:
            ms = PooledDoor(self.settings).round_trip_ms(limit_s=LIMIT_S)
        except MigrationError as error:
            yield unhealthy("door.pooled", error)
            return
        yield CheckResult("door.pooled", True, f"a login and a query took {ms:.1f} ms", value=ms)
        self._responses.append(ms)
        yield self._response_time()

    def direct(self) -> Iterator[CheckResult]:
        try:
            with connect(
                host=self.settings.doors.host,
                port=self.settings.doors.direct_port,
                database=self.settings.database,
                user=ROLE,
                password=self.settings.secret(ROLE),
                limit_s=LIMIT_S,
                connect_limit_s=LIMIT_S,
                application_name="bluegreen/probe",
            ) as session:
                side = session.value("SELECT current_setting('cluster_name')")
        except MigrationError as error:
            yield unhealthy("door.direct", error)
            return
        yield CheckResult("door.direct", True, f"it leads to {side}")

    def _response_time(self) -> CheckResult:
        limits, usual = self.settings.monitor.limits, self.usual_ms
        now = median(self._responses)
        limit = max(limits.response_ms, limits.response_factor * (usual or 0.0))
        compared = f"the baseline is {usual:.1f} ms" if usual is not None else "no baseline"
        return CheckResult(
            "door.response_time",
            now <= limit,
            f"a login and a query take {now:.1f} ms ({compared}; limit {limit:.0f} ms)",
            value=now,
        )


@dataclass
class PoolerChecks:
    settings: Settings
    watch: PoolerWatch = field(init=False)
    facts: PoolerFacts | None = field(init=False, default=None)
    """As of the last look; None when it did not answer."""

    def __post_init__(self) -> None:
        self.watch = PoolerWatch(self.settings)

    def look(self) -> Iterator[CheckResult]:
        self.facts = None
        try:
            self.facts = facts = self.watch()
        except MigrationError as error:
            yield unhealthy("pooler.console", error)
            return
        yield CheckResult("pooler.console", True, "the pooler's console answers")
        yield CheckResult(
            "pooler.clients",
            facts.clients < self.settings.monitor.limits.full_share * facts.max_clients,
            f"{facts.clients} of {facts.max_clients} clients are connected to the pooler",
            value=facts.clients,
        )
        yield CheckResult(
            "pooler.waiting",
            facts.longest_wait_s < WAITING_FAIRLY_S,
            f"{facts.waiting} clients wait for a connection to the server, the first for "
            f"{facts.longest_wait_s:.1f} s",
            value=facts.waiting,
        )


@dataclass
class AgentChecks:
    """Redis, and every agent by a task through its queue."""

    settings: Settings
    ping: AgentPing = field(init=False)

    def __post_init__(self) -> None:
        self.ping = AgentPing(self.settings)

    def look(self) -> Iterator[CheckResult]:
        limit_s = self.settings.monitor.agent_limit_s
        try:
            answers = self.ping(limit_s=limit_s)
        except MigrationError as error:
            yield unhealthy("redis.available", error)
            return
        yield CheckResult("redis.available", True, "Redis answers")
        for agent, seconds in answers.items():
            sentence = (
                f"{agent} did not run a task within {limit_s:g} s"
                if seconds is None
                else f"a task through the queue of {agent} took {seconds * 1000:.0f} ms"
            )
            yield CheckResult(f"agent.{agent}", seconds is not None, sentence, value=seconds)

"""All checks, once or again and again: for `bluegreen health` and for the monitor.

A check that cannot be made is a result that is not healthy; none keeps another from being made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.error_store import ErrorStore
from shared.adapters.control.schema_store import SchemaStore
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health import control
from shared.adapters.health.access_log import AccessLogCheck
from shared.adapters.health.certificates import check_certificates
from shared.adapters.health.error_log import ErrorLogCheck
from shared.adapters.health.schema import SchemaCheck
from shared.adapters.health.servers import ServerChecks
from shared.adapters.health.services import (
    ROLE,
    AgentChecks,
    DoorChecks,
    PoolerChecks,
    unhealthy,
)
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.settings import Settings

THREADS = 6


class HealthChecks:
    """Keeps its connections, and what the last looks measured, from look to look."""

    def __init__(self, settings: Settings, database: ControlDatabase | None = None) -> None:
        self._settings = settings
        self._control = database or ControlDatabase(
            settings, application_name="bluegreen/health", agent="health-monitor"
        )
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="health")
        self._servers = ServerChecks(make_nodes(settings, ROLE), settings.monitor.limits)
        self._doors = DoorChecks(settings)
        self._pooler = PoolerChecks(settings)
        self._agents = AgentChecks(settings)
        self._errors = ErrorLogCheck(
            self._servers.sessions,
            ErrorStore(self._control),
            settings.database,
            settings.monitor.log_quiet_s,
        )
        self._schema = SchemaCheck(
            self._servers.sessions, SchemaStore(self._control), settings.database
        )
        log = settings.doors.access_log
        share = settings.monitor.limits.refused_share
        self._access_log = None if log is None else AccessLogCheck(log, share)
        self._audit = control.AuditCheck()
        self._slow: list[CheckResult] = []
        """As of the last look at what changes slowly."""
        self._slow_at: float | None = None

    @property
    def servers(self) -> ServerChecks:
        return self._servers

    @property
    def pooler(self) -> PoolerChecks:
        return self._pooler

    def look(self) -> list[CheckResult]:
        """All checks, in the order in which people read them.

        Takes as long as the slowest: under a second when all is well, about 4 s at worst.
        """
        if self._slow_at is None:
            self._read_baseline()
        asked = [
            self._pool.submit(_made, check)
            for check in (
                self._doors.pooled, self._doors.direct, self._pooler.look, self._agents.look,
            )
        ]  # fmt: skip
        results = self._servers.look(self._pool)
        results += [result for future in asked for result in future.result()]
        if self._access_log is not None:
            results.append(self._access_log.look())
        results += self._of_control()
        return results

    def close(self) -> None:
        for session in self._servers.sessions.values():
            session.close()
        self._pooler.watch.close()
        self._agents.ping.close()
        self._pool.shutdown()

    def _of_control(self) -> list[CheckResult]:
        """The control database, and what needs it. The schema is read on the servers' sessions,
        which the look at the servers has left by now."""
        settings = self._settings
        try:
            with self._control.session() as session:
                newest = control.newest_point(session, settings.database)
            found = [
                CheckResult("control.available", True, "the control database answers"),
                control.rollback_point(newest, settings.monitor.limits, datetime.now(UTC)),
                self._errors.look(),
            ]
            self._look_slowly()
        except MigrationError as error:
            return [unhealthy("control.available", error), *self._slow]
        return [*found, *self._slow]

    def _look_slowly(self) -> None:
        now = time.monotonic()
        if self._slow_at is not None and now - self._slow_at < self._settings.monitor.slow_period_s:
            return
        slow = list(check_certificates(self._settings))
        with self._control.session() as session:
            slow.append(self._audit.look(session))
        schema = self._schema.look(self._servers.states)
        self._read_baseline()
        self._slow = [*slow, *([schema] if schema is not None else [])]
        self._slow_at = now

    def _read_baseline(self) -> None:
        """What is usual, before the first look compares with it; as it was where nobody tells."""
        with suppress(MigrationError):
            baseline = BaselineStore(self._control).current(self._settings.database)
            self._doors.usual_ms = None if baseline is None else baseline.door_ms.p95


def _made(check: Callable[[], Iterable[CheckResult]]) -> list[CheckResult]:
    return list(check())

"""What the health-monitor keeps in the control database: observations, answers, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.named_queries import named_queries
from shared.domain.health import CheckResult, Severity

_SQL = named_queries(__file__, "health.sql")


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    name: str
    severity: Severity
    sentence: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class BadEnd:
    """A job that ended otherwise than completed."""

    job: str
    database: str
    file_name: str
    outcome: str
    sentence: str
    cause: str
    remedy: str
    step: str | None
    """The one that failed; None after an abort."""


class HealthStore:
    """The Observations port, and the tables of alerts and check results."""

    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def seen(self, job: str, key: str) -> Mapping[str, Any] | None:
        with self._database.session() as session:
            body: Mapping[str, Any] | None = session.value(_SQL["seen"], (job, key))
            return body

    def note(self, job: str, key: str, body: Mapping[str, Any]) -> None:
        with self._database.session() as session:
            session.execute(_SQL["note"], (job, key, Jsonb(dict(body))))

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any]
    ) -> bool:
        """Whether this call raised it: False when it is raised already."""
        with self._database.session() as session:
            row = session.row(_SQL["raise_alert"], (name, severity, sentence, Jsonb(dict(detail))))
            return row is not None

    def clear_alert(self, name: str) -> bool:
        """Whether this call cleared it: False when it was not raised."""
        with self._database.session() as session:
            return session.row(_SQL["clear_alert"], (name,)) is not None

    def raised(self) -> list[RaisedAlert]:
        with self._database.session() as session:
            return [RaisedAlert(*row) for row in session.rows(_SQL["raised"])]

    def record(self, results: Iterable[CheckResult]) -> None:
        with self._database.session() as session, session.transaction():
            for result in results:
                session.execute(
                    _SQL["check_result"],
                    (result.name, result.healthy, result.severity, result.sentence, result.value),
                )

    def running_steps(self) -> set[str]:
        """Names of the steps in which live jobs are now."""
        with self._database.session() as session:
            return {name for (name,) in session.rows(_SQL["running_steps"]) if name}

    def job_counts(self) -> list[tuple[str, str, int]]:
        """Kind, outcome (`live` without one), how many."""
        with self._database.session() as session:
            return [(kind, how, int(n)) for kind, how, n in session.rows(_SQL["job_counts"])]

    def untold_bad_ends(self) -> list[BadEnd]:
        """Jobs that ended otherwise than completed, and of which no alert was raised yet."""
        with self._database.session() as session:
            return [BadEnd(*row) for row in session.rows(_SQL["untold_bad_ends"])]

    def settled_bad_ends(self) -> list[str]:
        """Names of alerts of such jobs that are over."""
        with self._database.session() as session:
            return [name for (name,) in session.rows(_SQL["settled_bad_ends"])]

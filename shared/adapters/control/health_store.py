"""What the health-monitor keeps in the control database: observations, answers, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase, unflushed
from shared.adapters.named_queries import named_queries
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.health import CheckResult, RunningStep, Severity
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions

_SQL = named_queries(__file__, "health.sql")


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    name: str
    severity: Severity
    sentence: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    id: int
    pattern: str
    """As of LIKE."""
    until: datetime
    by: str
    reason: str


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

    def clear_alert(self, name: str) -> bool | None:
        """None when it was not raised; else this call cleared it: whether people were told."""
        with self._database.session() as session:
            row = session.row(_SQL["clear_alert"], (name,))
            return None if row is None else bool(row[0])

    def take_untold(self) -> list[tuple[str, Severity, str]]:
        """Name, severity and sentence of each alert to tell now: raised and not silenced."""
        with self._database.session() as session:
            return [(name, severity, said) for name, severity, said in
                    session.rows(_SQL["take_untold"])]  # fmt: skip

    def silence(self, pattern: str, *, seconds: float, by: str, reason: str) -> Silence:
        with self._database.session() as session, session.transaction():
            row = session.row(_SQL["silence"], (pattern, seconds, by, reason))
            assert row is not None
            audit.append(session, by, "silence", {"alerts": pattern, "reason": reason})
            return Silence(row[0], pattern, row[1], by, reason)

    def silences(self) -> list[Silence]:
        with self._database.session() as session:
            return [Silence(*row) for row in session.rows(_SQL["silences"])]

    def end_silence(self, number: int, *, by: str) -> str:
        """The pattern that it had. Raises Refused when no such silence holds."""
        with self._database.session() as session, session.transaction():
            pattern = session.value(_SQL["end_silence"], (number,))
            if pattern is None:
                raise Refused(
                    f"expected a silence with number {number}, found none that holds",
                    remedy="`bluegreen alerts list` shows them",
                )
            audit.append(session, by, "end silence", {"alerts": pattern})
            return str(pattern)

    def beat(self, name: str) -> None:
        with self._database.session() as session, unflushed(session):
            session.execute(_SQL["beat"], (name,))

    def heartbeat_age_s(self, name: str) -> float | None:
        """None when it never gave a sign."""
        with self._database.session() as session:
            age: float | None = session.value(_SQL["heartbeat_age"], (name,))
            return age

    def raised(self) -> list[RaisedAlert]:
        with self._database.session() as session:
            return [RaisedAlert(*row) for row in session.rows(_SQL["raised"])]

    def announced(self, job: str) -> list[str]:
        """What people were told of that job beforehand and while it ran, oldest first."""
        with self._database.session() as session:
            return [said for (said,) in session.rows(_SQL["announced"], (job,))]

    def record(self, results: Iterable[CheckResult]) -> None:
        """Of a name that occurs twice the last counts."""
        found = list({result.name: result for result in results}.values())
        columns = (
            [result.name for result in found],
            [result.healthy for result in found],
            [result.severity for result in found],
            [result.sentence for result in found],
            [None if result.value is None else float(result.value) for result in found],
        )
        with self._database.session() as session, unflushed(session):
            session.execute(_SQL["check_results"], columns)

    def running_steps(self) -> frozenset[RunningStep]:
        """Where live jobs are now."""
        with self._database.session() as session:
            rows = session.rows(_SQL["running_steps"])
            return frozenset(RunningStep(Kind(kind), step, back) for kind, step, back in rows)

    def untold_bad_ends(self) -> list[BadEnd]:
        """Jobs that ended otherwise than completed, and of which no alert was raised yet."""
        with self._database.session() as session:
            return [BadEnd(*row) for row in session.rows(_SQL["untold_bad_ends"])]

    def settled_bad_ends(self) -> list[str]:
        """Names of alerts of such jobs that are over."""
        with self._database.session() as session:
            return [name for (name,) in session.rows(_SQL["settled_bad_ends"])]

    def unwatched_jobs(self) -> list[Job]:
        """Safe and maintenance jobs that completed within two minutes, and whose traffic was not
        judged since."""
        with self._database.session() as session:
            return [
                Job(
                    id=row["id"],
                    database=row["database"],
                    kind=Kind(row["kind"]),
                    file_name=row["file_name"],
                    sql="",
                    options=RunOptions.model_validate(row["options"]),
                    source=Colour(row["source"]),
                    epoch=row["epoch"],
                    attempt=row["attempt"],
                )
                for row in session.dicts(_SQL["unwatched_jobs"])
            ]

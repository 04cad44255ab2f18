"""What was usual: stored baselines, and the monitor's running record of the traffic."""

from __future__ import annotations

from datetime import datetime

from psycopg.types.json import Jsonb

from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase, unflushed
from shared.adapters.named_queries import named_queries
from shared.domain.baseline import Baseline, Interval

_SQL = named_queries(__file__, "baseline.sql")


class BaselineStore:
    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def current(self, database: str) -> Baseline | None:
        """The one that was measured last."""
        with self._database.session() as session:
            body = session.value(_SQL["current"], (database,))
            return None if body is None else Baseline.model_validate(body)

    def keep(self, baseline: Baseline, *, by: str) -> None:
        body = Jsonb(baseline.model_dump(mode="json"))
        with self._database.session() as session, session.transaction():
            session.execute(_SQL["keep"], (baseline.database, baseline.at, body))
            audit.append(session, by, "baseline", {"database": baseline.database})

    def note(self, database: str, seen: Interval) -> None:
        with self._database.session() as session, unflushed(session):
            session.execute(
                _SQL["note"],
                (
                    database, seen.at, seen.side, seen.seconds, seen.transactions, seen.mean_ms,
                    seen.waiting_ms, seen.door_ms,
                ),
            )  # fmt: skip

    def forget_old(self, database: str) -> None:
        with self._database.session() as session:
            session.execute(_SQL["forget_old"], (database,))

    def between(self, database: str, begin: datetime, end: datetime) -> list[Interval]:
        with self._database.session() as session:
            return [Interval(*row) for row in session.rows(_SQL["between"], (database, begin, end))]

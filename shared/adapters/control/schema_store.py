"""The fingerprint that a schema had when the last job left it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.named_queries import named_queries

_SQL = named_queries(__file__, "schema_mark.sql")


@dataclass(frozen=True, slots=True)
class Work:
    """Who is at work on the schema of a database."""

    job: str | None
    """The live job."""
    frozen: str | None
    """Fingerprint of the serving side while DDL is frozen there; None before and behind that."""
    last_ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    fingerprint: str
    at: datetime


class SchemaStore:
    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def work(self, database: str) -> Work:
        with self._database.session() as session:
            row = session.row(_SQL["work"], {"database": database})
            assert row is not None, "subqueries make one row"
            return Work(*row)

    def mark(self, database: str, fingerprint: str, *, since: datetime | None) -> Mark:
        """The mark; `fingerprint` becomes it where there is none, or none since the last job."""
        with self._database.session() as session:
            session.execute(
                _SQL["keep"], {"database": database, "fingerprint": fingerprint, "since": since}
            )
            row = session.row(_SQL["mark"], {"database": database})
            assert row is not None, "it was kept just now"
            return Mark(*row)

    def accept(self, database: str, fingerprint: str) -> None:
        with self._database.session() as session:
            session.execute(_SQL["accept"], {"database": database, "fingerprint": fingerprint})

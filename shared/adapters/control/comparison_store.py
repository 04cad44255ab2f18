"""What rehearsal and comparison remember between two looks, in the control database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control.connection import ControlDatabase
from shared.ports import RehearsedFile

_FIND_REHEARSAL = "SELECT mapping, run_as FROM bluegreen_control.rehearsal WHERE job = %s"
_SAVE_REHEARSAL = """
INSERT INTO bluegreen_control.rehearsal (job, mapping, run_as) VALUES (%s, %s, %s)
ON CONFLICT (job) DO UPDATE SET mapping = excluded.mapping, run_as = excluded.run_as,
    at = clock_timestamp()
"""
_FIND_COMPARISON = "SELECT progress FROM bluegreen_control.comparison WHERE job = %s"
_SAVE_COMPARISON = """
INSERT INTO bluegreen_control.comparison (job, progress) VALUES (%s, %s)
ON CONFLICT (job) DO UPDATE SET progress = excluded.progress, at = clock_timestamp()
"""


@dataclass(frozen=True)
class RehearsalStore:
    """The Rehearsals port."""

    control: ControlDatabase

    def find(self, job: str) -> RehearsedFile | None:
        with self.control.session() as session:
            row = session.row(_FIND_REHEARSAL, [job])
        return None if row is None else RehearsedFile(mapping=row[0], run_as=row[1])

    def save(self, job: str, rehearsed: RehearsedFile) -> None:
        with self.control.session() as session:
            session.execute(
                _SAVE_REHEARSAL, [job, Jsonb(dict(rehearsed.mapping)), rehearsed.run_as]
            )

    def forget(self, job: str) -> None:
        with self.control.session() as session:
            session.execute("DELETE FROM bluegreen_control.rehearsal WHERE job = %s", [job])


@dataclass(frozen=True)
class ComparisonStore:
    """The Comparisons port."""

    control: ControlDatabase

    def find(self, job: str) -> Mapping[str, Any] | None:
        with self.control.session() as session:
            found: Mapping[str, Any] | None = session.value(_FIND_COMPARISON, [job])
        return found

    def save(self, job: str, progress: Mapping[str, Any]) -> None:
        with self.control.session() as session:
            session.execute(_SAVE_COMPARISON, [job, Jsonb(dict(progress))])

    def forget(self, job: str) -> None:
        with self.control.session() as session:
            session.execute("DELETE FROM bluegreen_control.comparison WHERE job = %s", [job])

"""The plan of a file (shared/sql/plan.py) as parts that can be run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.facts import PlannedGroup, Validation
from shared.domain.migration import Job
from shared.sql.parse import Statement, statements
from shared.sql.source import Source
from workers.replicator.run_file import Part

OPENS_TRANSACTIONS = ("CallStmt", "DoStmt")
"""Statements that may COMMIT themselves, which they cannot do inside a block of ours."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    part: Part
    group: PlannedGroup
    statement: Statement
    """The group's first."""

    @property
    def in_transaction(self) -> bool:
        """A single statement that is to run outside a block by the author's wish runs in one of
        its own, where it can: that is what it would have had, and the row goes with it."""
        alone = self.group.lock_timeout and self.statement.tag not in OPENS_TRANSACTIONS
        return self.group.transaction or alone


def planned_parts(job: Job, run_as: str) -> list[PlannedPart]:
    """In the order of the file; groups without a statement are left out."""
    found = statements(job.sql)
    source = Source(job.sql)
    planned = []
    for number, group in enumerate(Validation.of(job).plan, start=1):
        if not group.statements:
            continue
        first, last = found[group.statements[0]], found[group.statements[-1]]
        length = last.start + len(last.text.encode()) - first.start
        part = Part(
            name=f"group {number}",
            text="" if group.rolls_back else source.slice(first.start, length),
            start=first.start,
            run_as=run_as,
            begin=group.begin,
        )
        planned.append(PlannedPart(part, group, first))
    return planned

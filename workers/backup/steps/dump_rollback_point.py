"""The rows of the tables that the file touches stand beside the schema of the rollback point.

Guarantee   the point is complete: its data part was written to the end
Repeats     safe: a dump under way is looked at, one that died begins anew
Undo        ends the dump, deletes the data part
Fails with  Transient  the dump's process died, the server or the disk is busy
            Refused    rows would be left out (row security, large objects)
            Broken     the point was deleted since it was taken
Source      PostgreSQL manual, "pg_dump"; docs/rollback-points.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.domain.rollback_point import Manifest
from shared.ports import Done, Pending, RollbackPoints
from workers.backup.affected import affected_tables
from workers.backup.steps.take_rollback_point import wanted_scope


@dataclass(frozen=True)
class DumpRollbackPoint:
    points: RollbackPoints

    name: ClassVar[str] = "dump_rollback_point"

    def is_done(self, job: Job) -> bool:
        if wanted_scope(job) == "none":
            return True
        point = self.points.of_job(job.id)
        return point is not None and point.complete

    def do(self, job: Job) -> Done | Pending:
        deed = self.points.dump_data(existing(self.points, job), affected_tables(job))
        if deed.state == "running":
            return Pending(f"rollback point: {deed.last_line}", deed.progress)
        return Done(deed.last_line)

    def undo(self, job: Job) -> Done | Pending:
        self.points.discard_data(job.id)
        return Done("data part deleted")


def existing(points: RollbackPoints, job: Job) -> Manifest:
    """The job's point. Raises Broken when it is gone."""
    point = points.of_job(job.id)
    if point is None:
        raise Broken(
            f"expected the rollback point of job {job.id}, found it deleted; without a way back "
            "the migration does not go on",
            remedy="run the migration again",
        )
    return point

"""A rollback point of the active side stands in the backup directory, taken before any change.

Guarantee   the point's parts and manifest are there, whole; of a risky job the schema now and the
            rows in `dump_rollback_point`, beside the sync
Repeats     safe: a point of this job that is there is kept
Undo        marks the point unused; retention deletes it
Fails with  Transient  a lock, the disk or the server is busy
            Refused    pg_dump is older than the server; rows would be left out (row security,
                       large objects); no age identity to verify with
Source      PostgreSQL manual, "pg_dump"; docs/rollback-points.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain import facts
from shared.domain.kinds import DEFAULT_SCOPE, BackupScope, Kind
from shared.domain.migration import Job
from shared.domain.rollback_point import Manifest
from shared.ports import Done, Pending, RollbackPoints
from workers.backup.affected import affected_tables


@dataclass(frozen=True)
class TakeRollbackPoint:
    points: RollbackPoints

    name: ClassVar[str] = "take_rollback_point"

    def is_done(self, job: Job) -> bool:
        if wanted_scope(job) == "none":
            return True
        point = self.points.of_job(job.id)
        return point is not None and (point.complete or job.kind is Kind.RISKY)

    def do(self, job: Job) -> Done | Pending:
        point = self.points.of_job(job.id)
        if point is None:
            point = self.points.take_schema(job, wanted_scope(job))
        if not point.complete and job.kind is not Kind.RISKY:
            deed = self.points.dump_data(point, affected_tables(job))
            if deed.state == "running":
                return Pending(f"rollback point: {deed.last_line}", deed.progress)
        return Done(f"rollback point {point.name}, scope {point.scope}", self._facts(point))

    def undo(self, job: Job) -> Done | Pending:
        self.points.discard_data(job.id)
        self.points.mark_unused(job.id)
        return Done("rollback point marked unused")

    def recall(self, job: Job) -> Mapping[str, Any]:
        point = self.points.of_job(job.id)
        return self._facts(point) if point is not None else {}

    def _facts(self, point: Manifest) -> dict[str, Any]:
        found = facts.RollbackPoint(path=self.points.path(point), scope=point.scope)
        return found.model_dump(mode="json")


def wanted_scope(job: Job) -> BackupScope:
    """What the user asked for, else what the kind of migration needs. A safe file that changes rows
    in batches commits on its way: nothing but the rollback point has the rows of before."""
    plan = facts.Validation.maybe(job)
    in_batches = plan is not None and any(group.batch for group in plan.plan)
    if job.options.backup is None and job.kind is Kind.SAFE and in_batches:
        return "affected"
    return job.options.backup or DEFAULT_SCOPE[job.kind]

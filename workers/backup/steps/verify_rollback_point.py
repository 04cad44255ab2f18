"""The rollback point was read back, decrypted, restored on another server and counted.

Guarantee   the manifest says when it was verified, and the files are those that were
Repeats     safe: a verification under way is looked at, one that died begins anew
Undo        ends the restore, drops the scratch database
Fails with  Transient  the process died, the control server is busy
            Refused    no age identity fits
            Broken     bytes, definitions or rows are not those that were written; or deleted
Source      docs/rollback-points.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain import facts
from shared.domain.counted import counted
from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.domain.rollback_point import Manifest
from shared.ports import Done, Pending, RollbackPoints
from workers.backup.steps.dump_rollback_point import existing
from workers.backup.steps.take_rollback_point import wanted_scope


@dataclass(frozen=True)
class VerifyRollbackPoint:
    points: RollbackPoints

    name: ClassVar[str] = "verify_rollback_point"

    def is_done(self, job: Job) -> bool:
        if wanted_scope(job) == "none":
            return True
        point = self.points.of_job(job.id)
        return point is not None and point.verified_at is not None

    def do(self, job: Job) -> Done | Pending:
        point = existing(self.points, job)
        if not point.complete:
            raise Broken(f"expected every part of {point.name}, found {len(point.parts)} of 2")
        if point.verified_at is None:
            deed = self.points.verify(point)
            if deed.state == "running":
                return Pending(f"verifying the rollback point: {deed.last_line}", deed.progress)
            point = existing(self.points, job)
        return Done(
            f"rollback point restored elsewhere: {counted(point.rows, 'row')}, definitions equal",
            self._facts(point),
        )

    def undo(self, job: Job) -> Done | Pending:
        self.points.discard_scratch(job.id)
        return Done("scratch database dropped")

    def recall(self, job: Job) -> Mapping[str, Any]:
        point = self.points.of_job(job.id)
        return self._facts(point) if point is not None else {}

    def _facts(self, point: Manifest) -> dict[str, Any]:
        schema = point.part("schema")
        found = facts.VerifiedPoint(
            path=self.points.path(point),
            scope=point.scope,
            sha256=schema.stored_sha256 if schema is not None else "",
            rows=point.rows,
        )
        return found.model_dump(mode="json")

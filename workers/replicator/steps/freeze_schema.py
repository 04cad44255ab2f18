"""Only this job changes the source's schema until the job has ended.

Guarantee: DDL by anyone outside `bg_owner` is refused; the job's own objects are there. Without
           the right to event triggers (a managed service) DDL by others is found, not refused.
Repeats:   all of it is one transaction; the schema's comment names the job it belongs to.
Undo:      drop the job's schema, and its event triggers with it.
Fails with Broken when objects of another job are there: one live job per database.
Source:    PostgreSQL manual, "Event Trigger Firing Matrix"; workers/replicator/freeze.sql.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain.environment import Colour
from shared.domain.facts import Freeze
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.domain.objects import JOB
from shared.ports import Done, Node
from shared.sql.fingerprint import FINGERPRINT
from workers.replicator import freeze

LOCK_LIMIT_S = 0.5
FROZEN = "schema changes by others are refused until the job ends"
NOT_FROZEN = (
    "schema changes by others cannot be refused where bg_owner may make no event trigger: they"
    " are found before the cutover, and end the job"
)


@dataclass(frozen=True)
class FreezeSchema:
    nodes: Mapping[Colour, Node]
    name: ClassVar[str] = "freeze_schema"

    def is_done(self, job: Job) -> bool:
        with self.nodes[job.source].session() as session:
            is_whole = freeze.is_on(session) or not freeze.could_be_on(session)
            return freeze.belongs_to(session, job) and is_whole

    def do(self, job: Job) -> Done:
        with self.nodes[job.source].session(lock_limit_s=LOCK_LIMIT_S) as session:
            freeze.install(session, job)
            is_on = freeze.is_on(session)
        return Done(FROZEN if is_on else NOT_FROZEN, self.recall(job))

    def undo(self, job: Job) -> Done:
        with self.nodes[job.source].session(lock_limit_s=LOCK_LIMIT_S) as session:
            if freeze.belongs_to(session, job):
                session.execute(f"DROP SCHEMA {ident(JOB)} CASCADE")
        return Done("schema changes are allowed again")

    def recall(self, job: Job) -> Mapping[str, Any]:
        with self.nodes[job.source].session() as session:
            fingerprint = str(session.value(FINGERPRINT))
        return Freeze(fingerprint=fingerprint).model_dump(mode="json")

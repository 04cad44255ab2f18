"""Only this job changes the source's schema until the job has ended.

Guarantee: DDL by anyone outside `bg_owner` is refused; the job's own objects are there.
Repeats:   all of it is one transaction; the schema's comment names the job it belongs to.
Undo:      drop the job's schema, and its event triggers with it.
Fails with Broken when objects of another job are there: one live job per database.
Source:    PostgreSQL manual, "Event Trigger Firing Matrix".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.facts import Freeze
from shared.domain.identifiers import ident, literal
from shared.domain.migration import Job
from shared.domain.objects import FREEZE, JOB, OWNER_ROLE
from shared.ports import Done, Node, Session
from shared.sql.fingerprint import FINGERPRINT

INSTALL = Path(__file__).with_suffix(".sql")
LOCK_LIMIT_S = 0.5
OWNER_OF_SCHEMA = """
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s
"""
FREEZE_IS_ON = (
    "SELECT count(*) = 3 FROM pg_event_trigger WHERE evtname LIKE %s AND evtenabled = 'O'"
)


@dataclass(frozen=True)
class FreezeSchema:
    nodes: Mapping[Colour, Node]
    name: ClassVar[str] = "freeze_schema"

    def is_done(self, job: Job) -> bool:
        with self.nodes[job.source].session() as session:
            return _belongs_to(session, job) and bool(session.value(FREEZE_IS_ON, [f"{FREEZE}%"]))

    def do(self, job: Job) -> Done:
        with self.nodes[job.source].session(lock_limit_s=LOCK_LIMIT_S) as session:
            if not _belongs_to(session, job):
                with session.transaction():
                    session.execute(f"SET LOCAL ROLE {ident(OWNER_ROLE)}")
                    session.execute(INSTALL.read_text(encoding="utf-8"))
                    session.execute(f"COMMENT ON SCHEMA {ident(JOB)} IS {literal(job.id)}")
        return Done("schema changes by others are refused until the job ends", self.recall(job))

    def undo(self, job: Job) -> Done:
        with self.nodes[job.source].session(lock_limit_s=LOCK_LIMIT_S) as session:
            if _belongs_to(session, job):
                session.execute(f"DROP SCHEMA {ident(JOB)} CASCADE")
        return Done("schema changes are allowed again")

    def recall(self, job: Job) -> Mapping[str, Any]:
        with self.nodes[job.source].session() as session:
            fingerprint = str(session.value(FINGERPRINT))
        return Freeze(fingerprint=fingerprint).model_dump(mode="json")


def _belongs_to(session: Session, job: Job) -> bool:
    """Whether the job's schema is there. Raises Broken when it is another job's."""
    found = session.row(OWNER_OF_SCHEMA, [JOB])
    if found is not None and found[0] != job.id:
        raise Broken(
            f"expected no schema {JOB} or job {job.id}'s, found that of {found[0]};"
            " nothing was changed",
            remedy=f"end that job, or drop schema {JOB} when no job of that id is live",
        )
    return found is not None

"""The job's own schema on a side, with the event triggers that refuse DDL by others.

Made on the source when it is frozen. A fork carries it to green; a copy makes it there anew.
"""

from __future__ import annotations

from pathlib import Path

from shared.domain.errors import Broken, Refused
from shared.domain.identifiers import ident, literal
from shared.domain.migration import Job
from shared.domain.objects import FREEZE, JOB, OWNER_ROLE
from shared.ports import Session

INSTALL = Path(__file__).with_suffix(".sql")
TRIGGERS = INSTALL.with_name("freeze_triggers.sql")
NOT_ALLOWED = "42501"
FREEZE_IS_ON = (
    "SELECT count(*) = 3 FROM pg_event_trigger WHERE evtname LIKE %s AND evtenabled = 'O'"
)
MAY_FREEZE = "SELECT rolsuper FROM pg_roles WHERE rolname = %s"
OWNER_OF_SCHEMA = """
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s
"""


def install(session: Session, job: Job) -> None:
    """All of it, or nothing; there already: nothing. Raises Broken as `belongs_to`."""
    if belongs_to(session, job):
        return
    with session.transaction():
        session.execute(f"SET LOCAL ROLE {ident(OWNER_ROLE)}")
        session.execute(INSTALL.read_text(encoding="utf-8"))
        session.execute(f"COMMENT ON SCHEMA {ident(JOB)} IS {literal(job.id)}")
        try:
            with session.transaction():
                session.execute(TRIGGERS.read_text(encoding="utf-8"))
        except Refused as error:
            if error.code != NOT_ALLOWED:
                raise


def is_on(session: Session) -> bool:
    return bool(session.value(FREEZE_IS_ON, [f"{FREEZE}%"]))


def could_be_on(session: Session) -> bool:
    """Whether nothing but somebody's meddling keeps the freeze off."""
    return bool(session.value(MAY_FREEZE, [OWNER_ROLE]))


def belongs_to(session: Session, job: Job) -> bool:
    """Whether the job's schema is there. Raises Broken when it is another job's."""
    found = session.row(OWNER_OF_SCHEMA, [JOB])
    if found is not None and found[0] != job.id:
        raise Broken(
            f"expected no schema {JOB} or job {job.id}'s, found that of {found[0]};"
            " nothing was changed",
            remedy=f"end that job, or drop schema {JOB} when no job of that id is live",
        )
    return found is not None

"""The old side is the standing standby of the new one: the resting state, with the roles swapped.

Guarantee: it streams from the active side through its own slot, and nothing of the job is left.
           Where green was copied there is no physical standby: the old side stays closed, with its
           last rows, marked as what the next copy may empty.
Repeats:   the deed is found by its name; one that ended is not run again.
Undo:      cannot be undone: what only the old side had was given up when the window closed.
Fails with Broken when the side that is to stay does not serve.
Source:    PostgreSQL manual, "pg_rewind", "pg_basebackup"; workers/replicator/standby.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.facts import copies
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.domain.objects import FORWARD, GUARD, JOB, REVERSE
from shared.ports import Done, Node, Pending
from workers.replicator import copy_green, standby, subscription

STILL_FOLLOWS_S = 15.0
"""Of one that followed a moment ago, and whose guard was dropped for it: on a host without a
processor to spare that is no reason to call a job behind its commit broken."""
HAS_GUARD = "SELECT count(*) = 1 FROM pg_replication_slots WHERE slot_name = %s"

IS_LEFT = """
SELECT EXISTS (SELECT FROM bluegreen.given_up WHERE job = %s) AND bluegreen.is_fenced()
   AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)
   AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)
"""
GIVE_UP = "INSERT INTO bluegreen.given_up (job) VALUES (%s) ON CONFLICT DO NOTHING"
FENCE = "SELECT bluegreen.fence()"


@dataclass(frozen=True)
class RestoreStandby:
    nodes: Mapping[Colour, Node]
    name: ClassVar[str] = "restore_standby"

    def is_done(self, job: Job) -> bool:
        old, active = self.nodes[job.source], self.nodes[job.target]
        if copies(job):
            with old.session() as session:
                return bool(session.value(IS_LEFT, [job.id, FORWARD, JOB]))
        if not old.driver.is_running() or old.driver.access() != "open":
            return False
        with active.session() as session:
            return not session.value(HAS_GUARD, [GUARD]) and standby.follows(
                old, session, limit_s=STILL_FOLLOWS_S
            )

    def do(self, job: Job) -> Done | Pending:
        old, active = self.nodes[job.source], self.nodes[job.target]
        with active.session() as session:
            standby.check_serves(session, active)
            if copies(job):
                return self._leave(old, job)
            diverged = not standby.streams(old, session)
            return standby.make_standby(old, active, session, job, diverged=diverged)

    def _leave(self, old: Node, job: Job) -> Done:
        with old.session() as session:
            session.value(FENCE)
            subscription.drop(session, REVERSE)
            copy_green.leave(session)
            session.execute(f"DROP SCHEMA IF EXISTS {ident(JOB)} CASCADE")
            session.execute(GIVE_UP, [job.id])
        return Done(f"{job.source} is closed and keeps its last rows until the next copy")

    def undo(self, job: Job) -> Done:
        raise Broken(
            f"expected not to go back behind the end of the rollback window of job {job.id}:"
            f" {job.source} has been given up; going on is the only way"
        )

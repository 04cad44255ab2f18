"""The way back is closed, and the side that serves carries nothing of the job any more.

Guarantee: risky: no replication either way, no trigger, landing column, freeze or job schema on the
           active side. Maintenance: the standby replays again what the file did.
Repeats:   every part looks first; a lock that is not given at once is asked for again later.
Undo:      cannot be undone once anything is removed: this is the pivot.
Fails with Broken when the side that is to stay does not serve.
Source:    workers/replicator/end_of_window.py, replay.py; PostgreSQL manual, "ALTER TABLE", locks.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.facts import Rehearsal
from shared.domain.identifiers import ident
from shared.domain.migration import Job, Kind
from shared.domain.objects import JOB, REVERSE
from shared.mapping.model import Mapping as TableMapping
from shared.mapping.prepare import drop_landing
from shared.mapping.retained import drop_retained
from shared.mapping.triggers import drop_triggers
from shared.ports import Done, Node, Pending, Session
from workers.replicator import end_of_window, replay, standby, subscription
from workers.replicator.short_pause import ShortPause

PAUSE_WAITS_S = (0.05, 0.1, 0.2, 0.4)
"""How long open transactions may take to end, a new draw at each look: a busy host gets its turn,
and a quiet one never uses more than it needs. Under the default of `--max-stall`."""
PAUSE_WORK_S = 0.2
SHORT_LOCK_S = 0.05
"""Clients are held, so a lock that is not free now is held by somebody outside the pool."""


@dataclass(frozen=True)
class Finish:
    nodes: Mapping[Colour, Node]
    short_pause: ShortPause
    name: ClassVar[str] = "finish"

    def is_done(self, job: Job) -> bool:
        target = self.nodes[job.target]
        if job.kind is Kind.MAINTENANCE:
            if not target.driver.is_running() or replay.is_held(target):
                return False
            return not any(self._has_guard(colour) for colour in (job.source, job.target))
        with target.session() as session:
            return end_of_window.nothing_left(session)

    def do(self, job: Job) -> Done | Pending:
        if job.kind is Kind.MAINTENANCE:
            target = self.nodes[job.target]
            target.driver.start(limit_s=60)
            replay.end_hold(target, self.nodes[job.source])
            return Done(f"{job.target} replays again")
        return self._end_window(job)

    def undo(self, job: Job) -> Done:
        if job.kind is Kind.MAINTENANCE:
            return Done("nothing was given up")
        with self.nodes[job.source].session() as session:
            if subscription.exists(session, REVERSE):
                return Done("nothing was removed yet")
        raise Broken(
            f"expected the way back from {job.target} to stand, found it closed: what was written"
            f" there since is not on {job.source}; going on is the only way"
        )

    def _has_guard(self, colour: Colour) -> bool:
        with self.nodes[colour].session(database=replay.DATABASE) as session:
            return replay.has_guard(session)

    def _end_window(self, job: Job) -> Done | Pending:
        old, active = self.nodes[job.source], self.nodes[job.target]
        mapping = TableMapping.model_validate(Rehearsal.of(job).mapping)
        with active.session(lock_limit_s=end_of_window.LOCK_LIMIT_S) as session:
            standby.check_serves(session, active)
            end_of_window.close_way_back(old, session)
            if end_of_window.nothing_left(session):
                return Done("nothing of the job was left")
            try:
                for statement in (*drop_triggers(mapping, "final"), *drop_retained(mapping)):
                    session.execute(statement)
                self._drop_landing(active, session, mapping)
                session.execute(f"DROP SCHEMA IF EXISTS {ident(JOB)} CASCADE")
            except Transient as error:
                again_s = random.uniform(0.2, 1.0)
                return Pending(f"tries again soon: {error.message}", look_again_s=again_s)
        return Done(f"{job.target} carries nothing of the job; schema changes are allowed again")

    def _drop_landing(self, active: Node, session: Session, mapping: TableMapping) -> None:
        """Raises Transient when clients or locks were not free in time; nobody is held then."""
        if not end_of_window.has_landing(session, mapping):
            return
        with (
            self.short_pause.ready() as pool,
            active.session(limit_s=PAUSE_WORK_S, lock_limit_s=SHORT_LOCK_S) as quick,
        ):
            script = ["BEGIN", *drop_landing(mapping), "COMMIT"]
            wait_s = random.choice(PAUSE_WAITS_S)
            with pool.narrow(), pool.held(wait_s=wait_s, work_s=PAUSE_WORK_S):
                quick.script(";\n".join(script))

"""A bulk UPDATE or DELETE in many small transactions along a key: none of them is long.

How far it has come is written in the transaction of each batch (batch_progress.py), so one that was
killed goes on exactly where it stopped: every row is changed once. Batches are paced by pace.py; in
a maintenance, where clients are held, nothing paces them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Node, Pending, Pooler, Session
from shared.sql.batches import Batched, batched
from workers.replicator import run_file
from workers.replicator.batch_progress import SoFar
from workers.replicator.groups import PlannedPart
from workers.replicator.key_walk import KeyWalk
from workers.replicator.pace import Pace, Sample

LOOK_S = 1.5
LOCK_LIMIT_S = 0.5
BATCH_LIMIT_S = 30.0
LONG_BATCH_S = 1.0
OVER_TIME = "57014"
LAG = """
SELECT greatest(0,
    (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication),
    (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots
     WHERE NOT active))::bigint
"""


@dataclass
class Batches:
    """One per worker process."""

    nodes: Mapping[Colour, Node]
    pooler: Pooler
    clock_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _paces: dict[str, Pace] = field(default_factory=dict)

    def advance(self, job: Job, each: PlannedPart) -> Pending | None:
        """Run batches for about a look; None once the last one has run.

        Raises Refused for a key that rows cannot be walked along, and the statement's own error
        with its place in the file.
        """
        work = KeyWalk(job, each, self._cut(each))
        pace = self._paces.setdefault(work.part, Pace())
        end = self.clock_s() + LOOK_S
        with self.nodes[job.source].session(
            limit_s=BATCH_LIMIT_S,
            lock_limit_s=LOCK_LIMIT_S,
            application_name=run_file.session_name(job),
        ) as session:
            so_far = work.begin(session)
            while self.clock_s() < end:
                if waits := self._holds_back(session, job, pace):
                    return _pending(so_far, waits, 0.3)
                began = self.clock_s()
                try:
                    found = work.one(session)
                except Transient as error:
                    if error.code != OVER_TIME:
                        raise
                    so_far = work.shrink(session)
                    continue
                if found is None:
                    del self._paces[work.part]
                    return None
                so_far = found
                if self.clock_s() - began > LONG_BATCH_S:
                    so_far = work.shrink(session)
                self._look(job, pace)
                if pace.pause_s:
                    self.wait(min(pace.pause_s, max(0.0, end - self.clock_s())))
        return _pending(so_far, pace.why, max(0.0, pace.pause_s - LOOK_S))

    def _cut(self, each: PlannedPart) -> Batched:
        asked, statement = each.group.batch, each.statement
        assert asked is not None
        return batched(
            statement.tag, statement.text, statement.node, table=asked.table, key=asked.key
        )

    def _holds_back(self, session: Session, job: Job, pace: Pace) -> str:
        """Why no batch may run now; empty when one may."""
        if job.kind is Kind.MAINTENANCE:
            return ""
        sample = self._sample()
        if sample is not None and pace.wants_quiet(sample):
            return "measures what is usual without it"
        lag_bytes = int(session.value(LAG))
        if pace.is_held_by(lag_bytes):
            return f"waits for the standby, which is {lag_bytes >> 20} MB behind"
        return ""

    def _look(self, job: Job, pace: Pace) -> None:
        sample = None if job.kind is Kind.MAINTENANCE else self._sample()
        if sample is not None:
            pace.saw(sample)

    def _sample(self) -> Sample | None:
        """None while the pooler does not answer: nobody is served through it then."""
        try:
            traffic = self.pooler.traffic()
        except Transient:
            return None
        return Sample(self.clock_s(), traffic.transactions, traffic.seconds)


def _pending(so_far: SoFar, why: str, look_again_s: float) -> Pending:
    said = so_far.sentence(time.time())
    return Pending(f"{said} ({why})" if why else said, so_far.progress, look_again_s)

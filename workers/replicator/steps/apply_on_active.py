"""The file is applied on the side that serves, and the application never queued behind it.

Guarantee: every group of the plan is applied, each with a row that says so; `batch` statements in
           many transactions, at the application's pace (batches.py).
Repeats:   groups whose row is there are passed over; a lock that is not given soon is given up and
           asked for again, later; an index left invalid is dropped and built again.
Undo:      a file that is not applied at all leaves nothing. What is applied stays, and is named;
           in a maintenance the standby, held before the file, takes over.
Fails with the server's own error at file:line:column; Transient when a lock was never given.
Source:    shared/sql/plan.py; workers/replicator/run_file.py, outside.py, short_pause.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.facts import Validation
from shared.domain.migration import Job, Kind
from shared.ports import Done, Node, Pending, Session
from workers.replicator import batch_progress, outside, promotion, run_file
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.groups import OPENS_TRANSACTIONS, PlannedPart, planned_parts
from workers.replicator.poll import holds_within
from workers.replicator.promotion import Promotion
from workers.replicator.short_pause import ShortPause

LOCK_LIMIT_S = 0.5
LOOK_S = 1.5
END_LIMIT_S = 3.0
TRIES = 200
GIVEN_UP = "given up"
AGAIN = ("55P03", "40P01", "40001", "57014")
"""Lock not available, deadlock, serialisation, over its time in a pause: nothing was applied."""
FIRST_WAIT_S = 0.05
PAUSED_LOOK_S = 2.0
LONGEST_WAIT_S = 15.0
OLDEST = """
SELECT format('pid %s (%s), in a transaction for %s s', pid, usename,
              round(extract(epoch FROM clock_timestamp() - xact_start)))
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1
"""


@dataclass(frozen=True)
class ApplyOnActive:
    nodes: Mapping[Colour, Node]
    background: Background
    short_pause: ShortPause
    role_of: Callable[[Session, Job], str]
    """Role that the file runs as (docs/adr/0003)."""
    promotion: Promotion
    batches: Batches
    name: ClassVar[str] = "apply_on_active"
    _tries: dict[str, int] = field(default_factory=dict)
    """How often each part of a job gave up a lock, in this worker."""

    def is_done(self, job: Job) -> bool:
        parts = planned_parts(job, run_as="")
        try:
            with self.nodes[job.source].session() as session:
                return all(run_file.is_applied(session, job, each.part.name) for each in parts)
        except Transient:
            if not _in_batches(job):
                raise
            return False  # `do` waits for the server

    def do(self, job: Job) -> Done | Pending:
        try:
            return self._do(job)
        except Transient as error:
            if error.code == GIVEN_UP or not _in_batches(job):
                raise
            return self._wait_for_server(job, error)

    def _do(self, job: Job) -> Done | Pending:
        with self.nodes[job.source].session() as session:
            parts = planned_parts(job, self.role_of(session, job))
            if job.kind is Kind.MAINTENANCE:
                promotion.note_before(session, job)
            for each in parts:
                if run_file.is_applied(session, job, each.part.name):
                    continue
                if paused := self._paused(session, job, each):
                    return paused
                if waits := self._apply(session, job, each, len(parts)):
                    self._tries.pop(job.id, None)
                    return waits
        self._tries.pop(job.id, None)
        return Done(f"{job.file_name} is applied on {job.source}")

    def undo(self, job: Job) -> Done | Pending:
        active = self.nodes[job.source]
        with active.session() as session:
            if not holds_within(END_LIMIT_S, lambda: run_file.end_sessions(session, job)):
                return Pending(f"waits for {job.file_name} to stop on {job.source}")
            outside.drop_left_over_indexes(active, job, limit_s=END_LIMIT_S)
            applied = [
                str(each.statement.place)
                for each in planned_parts(job, run_as="")
                if run_file.is_applied(session, job, each.part.name)
                or self._may_have_committed(session, job, each)
            ]
        if not applied:
            return Done(f"nothing of {job.file_name} is on {job.source}")
        if job.kind is Kind.MAINTENANCE:
            return self.promotion.take_over(job)
        raise Broken(
            f"expected nothing of {job.file_name} on {job.source}, found applied what begins at"
            f" {', '.join(applied)}; it is committed and stays",
            remedy="take it back with a file of your own, or run the rest as a new file",
        )

    def _may_have_committed(self, session: Session, job: Job, each: PlannedPart) -> bool:
        """Batches commit on their way. So may a procedure that failed: nothing tells what."""
        if each.group.batch is not None:
            return batch_progress.has_begun(session, job, each.part.name)
        opens = each.statement.tag in OPENS_TRANSACTIONS
        return opens and run_file.is_applied(session, job, each.part.name + outside.BEGUN)

    def _paused(self, session: Session, job: Job, each: PlannedPart) -> Pending | None:
        """Between groups and between batches, while a person wants it so."""
        if "pause" not in job.requests or self.background.knows(self._key(job, each)):
            return None
        so_far = batch_progress.how_far(session, job, each.part.name)
        said = f"; {so_far.changed} rows changed so far" if so_far is not None else ""
        onward = f"`bluegreen resume {job.id}` goes on"
        return Pending(
            f"paused by hand before {each.statement.place}: {onward}{said}",
            so_far.progress if so_far is not None else None,
            PAUSED_LOOK_S,
        )

    def _key(self, job: Job, each: PlannedPart) -> str:
        return f"{job.id}/{self.name}/{each.part.name}"

    def _apply(self, session: Session, job: Job, each: PlannedPart, of: int) -> Pending | None:
        """Apply one group; None when it is. Raises what makes it impossible."""
        key = self._key(job, each)
        try:
            if each.group.batch is not None:
                waits = self.batches.advance(job, each)
                self._tries.pop(key, None)
                return waits
            if each.group.short_pause and job.kind is not Kind.MAINTENANCE:
                self._in_a_pause(job, each, self._tries.get(key, 0))
                return None
            if not self.background.knows(key):
                since_s = run_file.running_for_s(session, job)
                if since_s is not None:
                    return Pending(f"{each.part.name} of {of} runs for {since_s} s")
            self.background.start(key, partial(self._run, job, each))
            if not self.background.wait(key, LOOK_S):
                return Pending(f"{each.part.name} of {of} runs")
        except Transient as error:
            if error.code not in (*AGAIN, Transient.__name__):
                raise
            return self._again(session, key, error)
        return None

    def _wait_for_server(self, job: Job, error: Transient) -> Pending:
        """Batches take hours: a server that restarts meanwhile is waited for, and they go on."""
        tries = self._tries[job.id] = self._tries.get(job.id, 0) + 1
        if tries >= TRIES:
            del self._tries[job.id]
            raise error
        look_again_s = min(LONGEST_WAIT_S, 0.5 * tries)
        return Pending(f"waits for {job.source}: {error.message}", look_again_s=look_again_s)

    def _again(self, session: Session, key: str, error: Transient) -> Pending:
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        oldest = session.value(OLDEST) or "nobody that is there now"
        if tries >= TRIES:
            raise Transient(
                f"{error.message}: given up after {tries} tries; the oldest transaction is "
                f"{oldest}",
                code=GIVEN_UP,
            ) from error
        return Pending(
            f"try {tries + 1} soon: {error.message}; the oldest transaction is {oldest}",
            look_again_s=random.uniform(0.1, 1.0),
        )

    def _run(self, job: Job, each: PlannedPart) -> None:
        active = self.nodes[job.source]
        if not each.in_transaction:
            outside.run_outside(active, job, each.part, each.statement)
            return
        limit = LOCK_LIMIT_S if each.group.lock_timeout else None
        run_file.run_part(active, job, each.part, lock_limit_s=limit)

    def _in_a_pause(self, job: Job, each: PlannedPart, tries: int) -> None:
        """All of it within --max-stall: half to come to rest, half to work."""
        half_s = job.options.max_stall_ms / 2000
        wait_s = min(FIRST_WAIT_S * (1 + tries), half_s)
        active = self.nodes[job.source]
        with (
            self.short_pause.ready() as pool,
            run_file.ready(active, job, limit_s=half_s, lock_limit_s=half_s) as run,
            pool.narrow(),
            pool.held(wait_s=wait_s, work_s=half_s),
        ):
            run(each.part)


def _in_batches(job: Job) -> bool:
    return any(group.batch for group in Validation.of(job).plan)

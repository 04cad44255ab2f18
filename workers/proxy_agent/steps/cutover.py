"""The application is served by the target, and replication leads back to the source.

Guarantee   the target is open, the source fenced, every door leads to the target, nobody is held
Repeats     safe: each attempt is settled before another begins, and one that gave up harms nobody
Undo        the same routine with the colours exchanged; of a half-done cutover, its way back. A
            rollback that keeps the sync has replication forward again, and `do` may follow it
Fails with  Refused    there is no fresh verdict with 0 different rows, or the schema was changed
            Broken     the target took no write, or something must hold that does not
Source      docs/cutover.md
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.domain.counted import counted
from shared.domain.errors import Broken, Transient
from shared.domain.facts import Cutover as CutoverFacts
from shared.domain.migration import Job
from shared.ports import Done, Pending, SwitchRecord
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.carried import NOTHING, Watched, expect_carried
from workers.proxy_agent.conditions import (
    expect_frozen_schema,
    expect_verdict,
    lacks_approval,
    switch_delay_left_s,
)
from workers.proxy_agent.measured_switch import MeasuredSwitch
from workers.proxy_agent.recovery import Found, Recovery
from workers.proxy_agent.switch import Order

LONGEST_LOOK_S = 2.0


@dataclass(frozen=True)
class Cutover:
    switch: MeasuredSwitch
    recovery: Recovery
    now: Callable[[], datetime]
    name: ClassVar[str] = "cutover"

    def is_done(self, job: Job) -> bool:
        found = self._of(job)
        return (
            found is not None
            and found.attempt.way is Way.FORWARD
            and self.recovery.serves(found)
            and not self.recovery.has_old_slot(found.attempt)
        )

    def do(self, job: Job) -> Done | Pending:
        try:
            found = self._of(job)
            if found is not None and self.recovery.settle(found) == "forward":
                if found.attempt.way is Way.FORWARD:
                    return self._conclude(job, self._record_of(found.attempt))
                if not found.attempt.returning:
                    raise Broken(f"job {job.id} went back to {job.source}; undoing from here")
            if (left_s := switch_delay_left_s(job, self.now())) > 0:
                return Pending(
                    f"switching in {left_s:.0f} s", look_again_s=min(left_s, LONGEST_LOOK_S)
                )
            if problem := lacks_approval(job):
                return Pending(problem, look_again_s=LONGEST_LOOK_S)
            expect_verdict(job, self.now())
            expect_frozen_schema(job, self.recovery.nodes[job.source])
            nodes = self.recovery.nodes
            watched = expect_carried(job, nodes[job.source], nodes[job.target])
            order = self._order(job, Way.FORWARD, returning=True, watched=watched)
            return self._conclude(job, self.switch.run(order))
        except Transient as error:
            return _again(error)

    def undo(self, job: Job) -> Done | Pending:
        try:
            found = self._of(job)
            if found is None:
                return Done("no cutover took place")
            settled = self.recovery.settle(found)
            if found.attempt.way is Way.FORWARD and settled == "back":
                return Done(f"{found.attempt.old} serves as before")
            if found.attempt.way is Way.FORWARD or settled == "back":  # the target still serves
                self.switch.run(self._order(job, Way.BACK, returning=job.keeps_sync))
                found = self._of(job)
                assert found is not None
            else:
                self._record_of(found.attempt)
            self.recovery.drop_old_slot(found.attempt)
            if found.taken_over:
                return Done(f"{job.source} serves; what {job.target} had not sent is missing")
            return Done(f"{job.source} serves again; no write was lost")
        except Transient as error:
            return _again(error)

    def _of(self, job: Job) -> Found | None:
        found = self.recovery.look()
        return found if found is not None and found.is_of(job.id) else None

    def _order(self, job: Job, way: Way, *, returning: bool, watched: Watched = NOTHING) -> Order:
        return Order(
            job=job.id,
            way=way,
            old=job.source if way is Way.FORWARD else job.target,
            returning=returning,
            max_stall_ms=job.options.max_stall_ms,
            on_slow_transaction=job.options.on_slow_transaction,
            watched=watched,
        )

    def _conclude(self, job: Job, record: SwitchRecord) -> Done:
        found = self._of(job)
        assert found is not None
        self.recovery.drop_old_slot(found.attempt)
        facts = CutoverFacts(
            at=record.at.isoformat(),
            direction=record.direction,
            window_ms=record.window_ms,
            phases_ms=dict(record.phases_ms),
        )
        return Done(_sentence(job, record), facts.model_dump(mode="json"))

    def _record_of(self, attempt: Attempt) -> SwitchRecord:
        """What is kept of an attempt that another process committed; where that process died in
        it, only the times that the new side wrote down."""
        for record in self.switch.switches.of_job(attempt.job):
            if record.attempt == attempt.number:
                return record
        at, window_ms = self.recovery.decided(attempt)
        record = SwitchRecord(attempt.job, attempt.number, attempt.direction, at, window_ms)
        self.switch.keep(record)
        return record


def _again(error: Transient) -> Pending:
    """Nothing has changed for the application. Jitter keeps us from meeting the same moment."""
    return Pending(error.message, look_again_s=random.uniform(0.5, LONGEST_LOOK_S))


def _sentence(job: Job, record: SwitchRecord) -> str:
    told = f"{job.target} serves; the pause took {record.window_ms:.0f} ms"
    if record.longest_ms is not None:
        told += (
            f", the longest transaction {record.longest_ms:.0f} ms, "
            f"{record.failed_transactions} failed"
        )
    if record.connections_cut:
        told += f", {counted(record.connections_cut, 'direct connection')} cut"
    return told

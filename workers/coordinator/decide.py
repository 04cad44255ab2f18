"""One turn of the coordinator: decide what can be decided, send what is due.

It holds nothing in memory that matters: what it reads and writes stands in the control database,
and a turn that dies between any two lines is simply made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from shared.adapters.control.coordinator_store import CoordinatorStore, Work
from shared.adapters.queue.flower_rows import FlowerRows
from shared.domain.errors import Broken, Transient
from shared.domain.kinds import Outcome
from shared.domain.messages import JobAccepted, JobEnded, StepStarted
from shared.ports import Bus
from shared.saga.events import Accepted, On, SagaEvent
from shared.saga.machine import Decision, advance, failure, over_limit
from shared.saga.state import ACTIVE, Command, Phase, SagaState

SWEEP_S = 1.0
"""How long at most until the coordinator looks by itself."""
OFTEN_SENT = 4
"""Sent so often, after about eight seconds, people are told that nobody takes a command."""
_log = structlog.get_logger("coordinator")


@dataclass(frozen=True)
class Coordinator:
    store: CoordinatorStore
    send: Callable[[Command], None]
    """Raises Transient when the broker does not take it."""
    queue_is_empty: Callable[[str], bool]
    bus: Bus
    rows: FlowerRows

    def turn(self) -> float:
        """Returns the seconds until the next turn is needed. Raises Transient when the control
        database cannot be reached."""
        for job in self.store.jobs_with_work():
            try:
                self._decide(job)
            except Broken as error:  # one job that cannot be decided must not stop the others
                _log.error("job.undecidable", job=job, reason=error.message)
        self._send_commands()
        next_due_s = self.store.next_due_s()
        return SWEEP_S if next_due_s is None else min(SWEEP_S, next_due_s)

    def _decide(self, job: str) -> None:
        with self.store.work(job) as work:
            if work is None:
                return
            decisions = decide(work)
            self.store.save(work, decisions)
        for decision in decisions:
            self._announce(work, decision)

    def _send_commands(self) -> None:
        """A command that was sent before is sent again only when its queue is empty: while it
        is not, the message still waits there for a worker."""
        for command, sends in self.store.commands_to_send():
            try:
                if sends == 1 or self.queue_is_empty(command.owner):
                    self.send(command)
                if sends >= OFTEN_SENT:
                    self.store.nobody_takes(command)
            except Transient as error:
                _log.warning("command.not_sent", command=command.task_id, reason=error.message)
                self.store.not_sent(command)

    def _announce(self, work: Work, decision: Decision) -> None:
        """Events and pictures, after the fact: losing one loses nothing else."""
        state, row = decision.state, decision.row
        if row is None or decision.is_look:
            return
        _log.info("saga.moved", job=state.job, phase=state.phase.value, said=decision.sentence)
        now = datetime.now(UTC)
        if row.on is On.ACCEPTED:
            accepted = JobAccepted(at=now, job=state.job, kind=work.kind, file_name=work.file_name)
            self.bus.publish(accepted)
            self.rows.job_begins(state.job, work.kind, work.file_name)
        if decision.begins and state.phase in ACTIVE:
            self.bus.publish(
                StepStarted(
                    at=now, job=state.job, step=state.step.name, attempt=state.attempt,
                    epoch=state.epoch, sentence=f"{state.direction}: {state.step.name}",
                )
            )  # fmt: skip
        self.rows.job_moves(state.job, f"{state.phase}: {decision.sentence}")
        if state.phase not in ACTIVE:
            self._announce_end(state, decision.sentence, now)

    def _announce_end(self, state: SagaState, sentence: str, now: datetime) -> None:
        outcome = state.outcome or Outcome.NEEDS_OPERATOR
        self.bus.publish(JobEnded(at=now, job=state.job, outcome=outcome.value, sentence=sentence))
        completed = state.phase is Phase.COMPLETED
        self.rows.job_ends(state.job, f"{outcome}: {sentence}", completed=completed)


def decide(work: Work) -> list[Decision]:
    """What follows from all that is new about a job, in order: answers, then requests, then what
    the clock says. Pure but for the log."""
    decisions: list[Decision] = []
    state = work.state
    events: list[SagaEvent] = list(work.events)
    if state.phase is Phase.REQUESTED:
        events.append(Accepted())
    for event in events:
        decision = advance(state, event, work.now)
        if decision.row is None:
            _log.info("answer.stale", job=state.job, said=str(event))
        decisions.append(decision)
        state = decision.state
    late = over_limit(state, work.now) or _worker_died(work, state)
    if late is not None:
        decisions.append(advance(state, late, work.now))
    return decisions


def _worker_died(work: Work, state: SagaState) -> SagaEvent | None:
    """A look in which workers died again and again is a failure of the step."""
    if not work.died or state != work.state:
        return None
    return replace(
        failure(state, "transient", "a worker died in it again and again"), remedy="see its log"
    )

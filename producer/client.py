"""A job is enqueued only when its services answer, and followed whatever happens to Redis then.

Following asks the control database; the event stream only says when asking is worth while. Losing
the stream costs a poll interval, losing the control database is ridden out for a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from producer.exit_codes import ExitCode, of_outcome
from shared.domain.environment import Colour
from shared.domain.errors import AnotherJob, Transient
from shared.domain.kinds import Kind, Outcome, StepState
from shared.domain.migration import RunOptions
from shared.ports import Bus, ControlStore, JobRecord, Steering, StepRecord
from shared.saga.state import Phase
from shared.sql.catalog import Catalog

POLL_S = 1.0
"""Longest time between two looks at the control database."""
OUTAGE_LIMIT_S = 60.0
"""How long the control database may be away before following gives up (exit 69)."""
APPROVAL, IN_SYNC, CUTOVER = "hold_for_approval", "hold_in_sync", "cutover"


@dataclass(frozen=True, slots=True)
class View:
    """One look at a job."""

    job: JobRecord
    steps: Sequence[StepRecord]

    @property
    def waits_for_approval(self) -> bool:
        return self._runs(APPROVAL) or self.rests_in_sync

    @property
    def rests_in_sync(self) -> bool:
        """After a rollback that kept the sync: on its first way there the job does not wait."""
        switched = any(step.name == CUTOVER and step.started_at for step in self.steps)
        return self._runs(IN_SYNC) and switched

    def _runs(self, name: str) -> bool:
        """Going forward: a step that is being undone waits for nobody."""
        return self.job.phase == Phase.FORWARD and any(
            step.name == name and step.state is StepState.RUNNING for step in self.steps
        )


class Doorbell(Protocol):
    """The queue that wakes the coordinator."""

    def check(self) -> None:
        """Raises Transient when the queue cannot be reached."""
        ...

    def ring(self, job: str) -> None:
        """Wake the coordinator for this job. Never raises: its sweep finds the job anyway."""
        ...


@dataclass(frozen=True, slots=True)
class Client:
    """What the commands do with jobs."""

    database: str
    person: str
    """Who asks: `user@host`, kept with the job and its requests."""
    store: ControlStore
    bus: Bus
    doorbell: Doorbell
    active: Callable[[], Colour]
    """The side that serves, asked of the world. Raises Transient when it does not answer."""
    schema: Callable[[], tuple[Catalog, int]]
    """The catalog of that side as it is now, and its major version."""
    now: Callable[[], float]
    """Seconds, monotonic."""
    pause: Callable[[float], None]

    def expect_unapplied(self, file_name: str, sql: str) -> None:
        """Raises `AlreadyApplied` / `EditedAfterApplied` as `submit` does, and writes nothing."""
        self.store.expect_unapplied(database=self.database, file_name=file_name, sql=sql)

    def expect_free(self) -> None:
        """Raises AnotherJob while one is live on the database, as `submit` does."""
        for record in self.store.jobs(live_only=True):
            if record.database == self.database:
                raise AnotherJob(record.id)

    def submit(self, *, kind: Kind, file_name: str, sql: str, options: RunOptions) -> str:
        """Write the job and wake the coordinator; the job's id. Raises what the store raises."""
        self.doorbell.check()
        job = self.store.submit(
            database=self.database,
            kind=kind,
            file_name=file_name,
            sql=sql,
            options=options,
            source=self.active(),
            requested_by=self.person,
        )
        self.doorbell.ring(job)
        return job

    def request(self, job: str, what: Steering) -> int:
        """Ask the coordinator for something; the job's epoch before that.

        Raises Refused when the job's state forbids it.
        """
        epoch = self.store.job(job).epoch
        self.store.request(job, what, by=self.person)
        self.doorbell.ring(job)
        return epoch

    def look(self, job: str) -> View:
        return View(self.store.job(job), self.store.steps(job))

    def follow(
        self,
        job: str,
        show: Callable[[View], None],
        warn: Callable[[str], None],
        *,
        wait_timeout_s: float | None = None,
        wanted: Outcome = Outcome.COMPLETED,
        stop_for_approval: bool = True,
        stuck_epoch: int | None = None,
    ) -> ExitCode:
        """Show each look; the exit code of the end, of a wait for approval, or of the limit.

        `stuck_epoch` is the epoch at which a person was asked to decide and did: the same call
        is not an end. The epoch grows with the decision (shared.saga.state).

        Raises Transient when the control database stays away longer than OUTAGE_LIMIT_S.
        """
        deadline = None if wait_timeout_s is None else self.now() + wait_timeout_s
        alarm = _Alarm(self, job, warn)
        seen_at = self.now()
        while True:
            try:
                view = self.look(job)
            except Transient as error:
                if self.now() - seen_at > OUTAGE_LIMIT_S:
                    raise
                warn(f"{error.message}; looking again, job {job} goes on")
            else:
                seen_at = self.now()
                show(view)
                if view.job.outcome is not None and not _is_old_call(view.job, stuck_epoch):
                    return of_outcome(view.job.outcome, wanted=wanted)
                if stop_for_approval and view.waits_for_approval:
                    return ExitCode.WAITING_FOR_APPROVAL
            left = POLL_S if deadline is None else deadline - self.now()
            if left <= 0:
                return ExitCode.STILL_RUNNING
            alarm.wait(min(POLL_S, left))


def _is_old_call(job: JobRecord, stuck_epoch: int | None) -> bool:
    return job.outcome is Outcome.NEEDS_OPERATOR and job.epoch == stuck_epoch


@dataclass(slots=True)
class _Alarm:
    """Wake up at the next event of the job, or when the time is over."""

    client: Client
    job: str
    warn: Callable[[str], None]
    position: str = "$"
    is_deaf: bool = False

    def wait(self, limit_s: float) -> None:
        until = self.client.now() + limit_s
        while (left := until - self.client.now()) > 0:
            try:
                events = self.client.bus.read(self.position, block_ms=max(1, int(left * 1000)))
            except Transient as error:
                self._say_deaf(error)
                self.client.pause(left)
                return
            self.is_deaf = False
            if events:
                self.position = events[-1][0]
            if any(getattr(event, "job", None) == self.job for _, event in events):
                return

    def _say_deaf(self, error: Transient) -> None:
        if not self.is_deaf:
            self.warn(f"events are not heard ({error.message}); asking the control database only")
        self.is_deaf = True

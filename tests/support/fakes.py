"""Hand-made stand-ins for the ports, with the manners of the real ones and no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import AlreadyApplied, AnotherJob, EditedAfterApplied, Refused, Transient
from shared.domain.messages import Event
from shared.domain.migration import Kind, Outcome, RunOptions, StepState
from shared.ports import HistoryRecord, JobRecord, Steering, StepRecord
from shared.saga.recipes import RECIPES

EPOCH = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """Seconds that pass only when somebody waits."""

    seconds: float = 0.0
    alarms: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    """What happens in the world at which second."""

    def now(self) -> float:
        return self.seconds

    def at(self, second: float, deed: Callable[[], None]) -> None:
        self.alarms.append((second, deed))

    def wait(self, limit_s: float) -> None:
        self.seconds += limit_s
        for alarm in [alarm for alarm in self.alarms if alarm[0] <= self.seconds]:
            self.alarms.remove(alarm)
            alarm[1]()


@dataclass
class FakeBus:
    """A stream that blocks in the clock's time; `is_down` makes it refuse."""

    clock: FakeClock
    events: list[Event] = field(default_factory=list)
    is_down: bool = False

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        if self.is_down:
            raise Transient("Redis refuses connections")
        first = len(self.events) if after == "$" else int(after)
        self.clock.wait(block_ms / 1000)
        return [(str(place + 1), self.events[place]) for place in range(first, len(self.events))]


@dataclass
class FakeDoorbell:
    is_down: bool = False
    rung: list[str] = field(default_factory=list)

    def check(self) -> None:
        if self.is_down:
            raise Transient("Redis at 127.0.0.1:6379 is not reachable", code="ServiceDown")

    def ring(self, job: str) -> None:
        self.rung.append(job)


@dataclass
class FakeControlStore:
    """Jobs in a dictionary. `finish_step` and `end` play the coordinator."""

    records: dict[str, JobRecord] = field(default_factory=dict)
    step_records: dict[str, list[StepRecord]] = field(default_factory=dict)
    requests: list[tuple[str, Steering, str]] = field(default_factory=list)
    audit: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    is_down: bool = False

    def submit(
        self,
        *,
        database: str,
        kind: Kind,
        file_name: str,
        sql: str,
        options: RunOptions,
        source: Colour,
        requested_by: str,
    ) -> str:
        self.expect_unapplied(database=database, file_name=file_name, sql=sql)
        for old in self.records.values():
            if old.outcome is None:
                raise AnotherJob(old.id)
        job = f"20261123-{len(self.records):04x}"
        self.records[job] = JobRecord(
            id=job, database=database, kind=kind, file_name=file_name, sql=sql, options=options,
            source=source, phase="requested", step=None, outcome=None, sentence="", epoch=1,
            attempt=1, requested_by=requested_by, requested_at=EPOCH, ended_at=None, facts={},
        )  # fmt: skip
        self.step_records[job] = [
            StepRecord(step.name, step.owner, StepState.PENDING, 0, None, "", None, None)
            for step in RECIPES[kind]
        ]
        return job

    def expect_unapplied(self, *, database: str, file_name: str, sql: str) -> None:
        self._answer()
        for old in self.records.values():
            if old.file_name == file_name and old.outcome is Outcome.COMPLETED:
                same = old.sql == sql
                raise (AlreadyApplied if same else EditedAfterApplied)(old.id, file_name)

    def job(self, job: str) -> JobRecord:
        self._answer()
        if job not in self.records:
            raise Refused(f"expected a job, found none with the id {job}")
        return self.records[job]

    def jobs(self, *, limit: int = 50, live_only: bool = False) -> list[JobRecord]:
        self._answer()
        newest_first = reversed(self.records.values())
        return [job for job in newest_first if not (live_only and job.outcome)][:limit]

    def job_with_file(self, database: str, file_name: str) -> JobRecord | None:
        found = [
            job for job in self.jobs() if (job.database, job.file_name) == (database, file_name)
        ]
        return found[0] if found else None

    def steps(self, job: str) -> list[StepRecord]:
        self._answer()
        return list(self.step_records[job])

    def history(self, job: str, *, after: int = 0) -> list[HistoryRecord]:
        self._answer()
        rows = [HistoryRecord(1, EPOCH, "requested", "Submitted", None, "the job was accepted")]
        return [row for row in rows if row.seq > after]

    def request(self, job: str, what: Steering, *, by: str) -> None:
        record = self.job(job)
        if record.outcome not in (None, Outcome.NEEDS_OPERATOR):
            raise Refused(f"job {job} has ended ({record.outcome.value})")
        self.requests.append((job, what, by))

    def append_audit(self, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
        self.audit.append((actor, action, detail))

    def set_step(self, job: str, name: str, state: StepState, **more: Any) -> None:
        steps = self.step_records[job]
        at = next(i for i, step in enumerate(steps) if step.name == name)
        began = steps[at].started_at or EPOCH + timedelta(seconds=at)
        changed = {"state": state, "attempts": 1, "started_at": began, **more}
        steps[at] = replace(steps[at], **changed)
        self.records[job] = replace(self.records[job], phase="forward", step=name)

    def end(self, job: str, outcome: Outcome, sentence: str = "") -> None:
        self.records[job] = replace(
            self.records[job], phase=outcome.value, outcome=outcome, sentence=sentence,
            ended_at=EPOCH + timedelta(minutes=1),
        )  # fmt: skip

    def learn(self, job: str, **facts: dict[str, Any]) -> None:
        """What steps found out, by the step's name."""
        self.records[job] = replace(self.records[job], facts=facts)

    def decide(self, job: str, outcome: Outcome) -> None:
        """What the coordinator makes of a request: a new attempt, and its end."""
        self.records[job] = replace(self.records[job], epoch=self.records[job].epoch + 1)
        self.end(job, outcome)

    def _answer(self) -> None:
        if self.is_down:
            raise Transient("control database at 127.0.0.1:5433 is not reachable")

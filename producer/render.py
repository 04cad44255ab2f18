"""Records of the control database, as documents for machines and lines for people. Pure.

Documents carry the names that docs/cli.md promises; lines are free to become better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from producer.client import View
from producer.exit_codes import ExitCode
from shared.domain.kinds import Outcome, StepState
from shared.ports import HistoryRecord, JobRecord, StepRecord

WINDOW_STEP = "hold_rollback_window"
_SILENT = (StepState.PENDING, StepState.SKIPPED)


def job_document(job: JobRecord) -> dict[str, Any]:
    """One job without its steps."""
    return {
        "job": job.id,
        "type": job.kind.value,
        "file": job.file_name,
        "database": job.database,
        "phase": job.phase,
        "step": job.step,
        "outcome": job.outcome.value if job.outcome else None,
        "sentence": job.sentence,
        "remedy": job.remedy,
        "source": job.source.value,
        "requestedBy": job.requested_by,
        "requestedAt": stamp(job.requested_at),
        "endedAt": stamp(job.ended_at),
        "detailsRemovedAt": stamp(job.details_removed_at),
    }


def details_removed(removed_at: str | datetime | None) -> str:
    """What a reader of an old job is told; empty while its details are there."""
    if removed_at is None:
        return ""
    at = datetime.fromisoformat(removed_at) if isinstance(removed_at, str) else removed_at
    return (
        f"its details were removed on {at:%Y-%m-%d}, when they were as old as `retention.job_days` "
        "says: steps, decisions, the file's text; what it proved and the audit stay"
    )


def status_document(view: View) -> dict[str, Any]:
    """`status JOB --json`: the job, how far it is, and every step of its recipe."""
    return {
        **job_document(view.job),
        "progress": progress(view),
        "waitsForApproval": view.waits_for_approval,
        "steps": [step_document(step) for step in view.steps],
    }


def step_document(step: StepRecord) -> dict[str, Any]:
    return {
        "name": step.name,
        "state": step.state.value,
        "owner": step.owner,
        "attempts": step.attempts,
        "progress": step.progress,
        "sentence": step.sentence,
        "startedAt": stamp(step.started_at),
        "endedAt": stamp(step.ended_at),
    }


def history_document(record: HistoryRecord) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "at": stamp(record.at),
        "phase": record.phase,
        "event": record.event,
        "step": record.step,
        "sentence": record.sentence,
    }


def stamp(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def progress(view: View) -> float:
    """How far a job is, 0 to 1: steps done, and the known part of the one that runs."""
    if view.job.outcome is Outcome.COMPLETED:
        return 1.0
    planned = [step for step in view.steps if step.state is not StepState.SKIPPED]
    done = sum(step.state is StepState.DONE for step in planned)
    part = sum(step.progress or 0.0 for step in planned if step.state is StepState.RUNNING)
    return round(min(1.0, (done + part) / max(1, len(planned))), 3)


def remaining_s(step: StepRecord, now: datetime) -> float | None:
    """Seconds a running step still needs at the pace so far; None where nothing is known."""
    if step.started_at is None or not step.progress or step.state is not StepState.RUNNING:
        return None
    if step.name == WINDOW_STEP:  # it began with the cutover, and its sentence knows its end
        return None
    elapsed_s = (now - step.started_at).total_seconds()
    return elapsed_s * (1 - step.progress) / step.progress


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest_s} s"
    hours, rest_min = divmod(minutes, 60)
    return f"{hours} h {rest_min} min" if hours else f"{minutes} min {rest_s} s"


def took(step: StepRecord, now: datetime) -> str:
    """How long the step took, or takes so far; empty when it has not begun."""
    if step.started_at is None:
        return ""
    return duration(((step.ended_at or now) - step.started_at).total_seconds())


def headline(job: JobRecord) -> str:
    state = job.outcome.value if job.outcome else f"{job.phase}: {job.step or 'not begun'}"
    return f"job {job.id}  {job.kind.value}  {job.file_name}  {state}"


def status_lines(view: View, now: datetime) -> Iterator[str]:
    """A job for a terminal or a log: its headline, its steps, what it says."""
    yield headline(view.job)
    for step in view.steps:
        yield "  " + step_line(step, now)
    for said in (view.job.sentence, view.job.remedy):
        if said:
            yield f"  {said}"
    if removed := details_removed(view.job.details_removed_at):
        yield f"  {removed}"
    if view.waits_for_approval:
        yield f"  waiting for `bluegreen approve {view.job.id}`"


def step_line(step: StepRecord, now: datetime) -> str:
    parts = [f"{step.name:<22}", f"{step.state.value:<8}"]
    parts.append(f"{took(step, now):>11}")
    if step.state is StepState.RUNNING and step.progress is not None:
        parts.append(f"{step.progress:4.0%}")
        left_s = remaining_s(step, now)
        if left_s is not None:
            parts.append(f"{duration(left_s)} left")
    if step.attempts > 1:
        parts.append(f"attempt {step.attempts}")
    if step.sentence:
        parts.append(step.sentence)
    return "  ".join(parts).rstrip()


def changes(before: View | None, after: View, now: datetime) -> Iterator[str]:
    """What a log line should say since the last look: states that changed, sentences that did."""
    if before is None:
        yield headline(after.job)
    known = {step.name: step for step in before.steps} if before else {}
    for step in after.steps:
        old = known.get(step.name)
        if step.state in _SILENT or (old and _looks_same(old, step)):
            continue
        yield "  " + step_line(step, now)
        if step.name == WINDOW_STEP and step.state is StepState.RUNNING and not _ran(old):
            yield "  " + window_hint(after.job)


def _looks_same(old: StepRecord, new: StepRecord) -> bool:
    """A running step speaks again when it has something new to say, in tenths of progress."""
    return (old.state, old.attempts, _tenth(old), _words(old)) == (
        new.state,
        new.attempts,
        _tenth(new),
        _words(new),
    )


def _tenth(step: StepRecord) -> int:
    return int((step.progress or 0) * 10)


def _words(step: StepRecord) -> str:
    """The sentence without its figures: `lag 12 kB` and `lag 9 kB` say the same thing."""
    return "".join(letter for letter in step.sentence if not letter.isdigit())


def _ran(step: StepRecord | None) -> bool:
    return step is not None and step.state is StepState.RUNNING


def window_hint(job: JobRecord) -> str:
    return (
        f"traffic is on {job.source.other.value}; the way back is open: "
        f"`bluegreen finish {job.id}` ends the window, `bluegreen rollback {job.id}` goes back "
        "(with `--keep-sync` ready to switch again)"
    )


def closing_line(view: View, code: ExitCode) -> str:
    """The last line of following: how it ended, and what to do where something is to be done."""
    job = view.job
    if code is ExitCode.WAITING_FOR_APPROVAL:
        return f"job {job.id} waits: `bluegreen approve {job.id}` goes on, `abort` ends it"
    if code is ExitCode.STILL_RUNNING:
        return f"job {job.id} still runs: `bluegreen watch {job.id}` follows it again"
    if job.outcome is None:
        return reattach_line(job.id)
    line = f"job {job.id} {job.outcome.value.replace('_', ' ')}"
    if job.sentence:
        line += f": {job.sentence}"
    if job.outcome is Outcome.NEEDS_OPERATOR:
        return f"{line}; {job.remedy or f'`bluegreen status {job.id}` shows where it stands'}"
    return f"{line}; {job.remedy}" if job.remedy else line


def reattach_line(job: str) -> str:
    return f"job {job} goes on without you: `bluegreen watch {job}` follows it again"


def job_lines(jobs: Sequence[JobRecord]) -> Iterator[str]:
    """A list of jobs, newest first, one line each."""
    for job in jobs:
        state = job.outcome.value if job.outcome else f"{job.phase}: {job.step or 'not begun'}"
        at = job.requested_at.strftime("%Y-%m-%d %H:%M:%S")
        took = duration((job.ended_at - job.requested_at).total_seconds()) if job.ended_at else ""
        yield f"{job.id}  {at}  {job.kind.value:<11}  {state:<24}  {took:>12}  {job.file_name}"


def history_lines(records: Sequence[HistoryRecord]) -> Iterator[str]:
    for record in records:
        at = record.at.strftime("%H:%M:%S.%f")[:-3]
        yield f"{at}  {record.phase:<12}  {record.step or '':<22}  {record.sentence}".rstrip()

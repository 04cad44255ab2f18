"""What a job did, as one document: the record that stays when the servers have forgotten. Pure.

Names and units are promised in docs/cli.md (`bluegreen report JOB --json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from producer.render import stamp
from producer.reports.checklist import checklist_document
from producer.reports.mapping import mapping_document
from shared.domain.facts import (
    Fork,
    HeldTraffic,
    Preflight,
    Rehearsal,
    ReleasedTraffic,
    RollbackPoint,
    StatementCheck,
    Verdict,
    VerifiedPoint,
)
from shared.domain.kinds import Kind
from shared.mapping.model import Mapping
from shared.ports import JobRecord, StepRecord, SwitchRecord


def report_document(
    job: JobRecord,
    steps: Sequence[StepRecord],
    switches: Sequence[SwitchRecord],
    announcements: Sequence[str] = (),
    impact: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The report of design section 12, point for point, with the checklists that follow from it.

    `announcements` are what people were told of the job through the alert sinks.
    """
    body = _measured(job, steps, switches) | {"announcements": list(announcements)}
    body["impact"] = impact
    # Without the steps a checklist would say that nothing was done.
    checked = [] if job.details_removed_at else checklist_document(body)
    return body | {"checklist": checked}


def _measured(
    job: JobRecord, steps: Sequence[StepRecord], switches: Sequence[SwitchRecord]
) -> dict[str, Any]:
    started = [step.started_at for step in steps if step.started_at]
    return {
        "job": job.id,
        "type": job.kind.value,
        "outcome": job.outcome.value if job.outcome else None,
        "startedAt": stamp(min(started, default=job.requested_at)),
        "endedAt": stamp(job.ended_at),
        "detailsRemovedAt": stamp(job.details_removed_at),
        "file": job.file_name,
        "sentence": job.sentence,
        "steps": [_step(step) for step in steps if step.started_at],
        "switches": [switch_document(switch) for switch in switches],
        "comparison": comparison_document(job),
        "statements": statements_document(job),
        "rollbackPoint": _rollback_point(job),
        "downtime": downtime_document(job),
        "secondsToWritableGreen": _seconds_to_writable_green(job),
        **_way_to_green(job),
        **_mapping(job),
    }


def _step(step: StepRecord) -> dict[str, Any]:
    seconds = None
    if step.started_at and step.ended_at:
        seconds = round((step.ended_at - step.started_at).total_seconds(), 3)
    return {
        "name": step.name,
        "owner": step.owner,
        "seconds": seconds,
        "attempts": step.attempts,
        "state": step.state.value,
        "sentence": step.sentence,
    }


def switch_document(switch: SwitchRecord) -> dict[str, Any]:
    return {
        "direction": switch.direction,
        "failedTransactions": switch.failed_transactions,
        "baselineMs": {"p50": switch.baseline_p50_ms, "p99": switch.baseline_p99_ms},
        "longestMs": switch.longest_ms,
        "windowMs": switch.window_ms,
        "phasesMs": dict(switch.phases_ms),
        "connectionsCut": switch.connections_cut,
        "at": stamp(switch.at),
    }


def comparison_document(job: JobRecord) -> dict[str, Any] | None:
    """The verdict of the row comparison; None before it."""
    body = job.facts.get(Verdict.step)
    if body is None:
        return None
    verdict = Verdict.model_validate(body)
    return {
        "tables": verdict.tables,
        "rowsCompared": verdict.rows_compared,
        "rowsDifferent": verdict.rows_different,
        "columnsNotCompared": list(verdict.columns_not_compared),
        "at": verdict.at,
    }


def statements_document(job: JobRecord) -> dict[str, Any] | None:
    """What the statement gate found; None before it."""
    body = job.facts.get(StatementCheck.step)
    if body is None:
        return None
    found = StatementCheck.model_validate(body)
    return {
        "recorded": found.seen,
        "counted": found.statements,
        "broken": list(found.broken),
        "setAside": list(found.set_aside),
        "slower": list(found.slower),
    }


def downtime_document(job: JobRecord) -> dict[str, Any] | None:
    """How long clients of a maintenance were held or refused; None: they never were."""
    body = job.facts.get(ReleasedTraffic.step) or job.facts.get(HeldTraffic.step)
    if body is None:
        return None
    held = HeldTraffic.model_validate(body)
    return {
        "how": held.how,
        "from": stamp(held.held_at),
        "to": stamp(held.released_at),
        "seconds": round(held.seconds, 3) if held.released_at else None,
        "sessionsCut": held.sessions_cut,
    }


def _rollback_point(job: JobRecord) -> dict[str, Any] | None:
    verified = job.facts.get(VerifiedPoint.step)
    if verified is not None:
        point = VerifiedPoint.model_validate(verified)
        return {
            "path": point.path,
            "scope": point.scope,
            "verified": True,
            "sha256": point.sha256,
            "rows": point.rows,
        }
    taken = job.facts.get(RollbackPoint.step)
    if taken is None:
        return None
    unverified = RollbackPoint.model_validate(taken)
    return {"path": unverified.path, "scope": unverified.scope, "verified": False}


def _seconds_to_writable_green(job: JobRecord) -> float | None:
    body = job.facts.get(Fork.step)
    return None if body is None else Fork.model_validate(body).seconds_to_writable


def _way_to_green(job: JobRecord) -> dict[str, Any]:
    """Decided in preflight: `fork` or `copy`, of how much, and how long a copy was thought to
    take."""
    body = job.facts.get(Preflight.step)
    if body is None or job.kind is not Kind.RISKY:
        return {"greenBy": None, "databaseBytes": None, "copyEstimateSeconds": None}
    known = Preflight.model_validate(body)
    copied = known.strategy == "copy"
    return {
        "greenBy": known.strategy,
        "databaseBytes": known.database_bytes or known.copy_bytes or None,
        "copyEstimateSeconds": known.copy_estimate_s if copied else None,
    }


def _mapping(job: JobRecord) -> dict[str, Any]:
    """Each table whose two shapes differ, and what follows from that for those who use them; empty
    before `rehearse`, and where nothing is carried."""
    body = job.facts.get(Rehearsal.step)
    if body is None:
        return {"mapping": [], "mappingNotes": []}
    mapping = Mapping.model_validate(Rehearsal.model_validate(body).mapping)
    notes = [*mapping.warnings, *mapping.other_meaning, *mapping.not_common]
    return {"mapping": mapping_document(mapping), "mappingNotes": notes}

"""What jobs took, how often they succeeded, and what clients felt of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from producer.render import duration
from shared.domain.facts import Cutover, HeldTraffic, ReleasedTraffic
from shared.domain.kinds import Kind, Outcome
from shared.ports import JobRecord


def took_s(job: JobRecord) -> float | None:
    """From the request to the end, with what it waited for; None while it lives."""
    if job.ended_at is None:
        return None
    return round((job.ended_at - job.requested_at).total_seconds(), 3)


def impact(job: JobRecord) -> dict[str, float | None]:
    """What clients felt: `pauseMs` of its last cutover, `downtimeS` of a maintenance."""
    cutover = job.facts.get(Cutover.step)
    held = job.facts.get(ReleasedTraffic.step) or job.facts.get(HeldTraffic.step)
    downtime = HeldTraffic.model_validate(held).seconds if held is not None else None
    return {
        "pauseMs": Cutover.model_validate(cutover).window_ms if cutover is not None else None,
        "downtimeS": round(downtime, 3) if downtime is not None else None,
    }


def summary(jobs: Sequence[JobRecord]) -> dict[str, dict[str, Any]]:
    """By kind, of those that have ended; kinds without any are left out.

    `successRate`: completed over completed, rolled back and `needs_operator`; a refusal changed
    nothing and counts for neither.
    """
    return {
        kind.value: _of_kind(mine)
        for kind in Kind
        if (mine := [job for job in jobs if job.kind is kind and job.outcome is not None])
    }


def _of_kind(jobs: Sequence[JobRecord]) -> dict[str, Any]:
    ended = {outcome.value: sum(job.outcome is outcome for job in jobs) for outcome in Outcome}
    tried = len(jobs) - ended[Outcome.REFUSED.value]
    durations = [s for job in jobs if job.outcome is not Outcome.REFUSED and (s := took_s(job))]
    felt = [impact(job) for job in jobs]
    pauses = [each["pauseMs"] for each in felt if each["pauseMs"] is not None]
    return {
        "jobs": len(jobs),
        "outcomes": ended,
        "successRate": round(ended[Outcome.COMPLETED.value] / tried, 3) if tried else None,
        "failureRate": round(1 - ended[Outcome.COMPLETED.value] / tried, 3) if tried else None,
        "medianSeconds": round(median(durations), 3) if durations else None,
        "longestSeconds": max(durations, default=None),
        "longestPauseMs": max(pauses, default=None),
        "downtimeSeconds": round(sum(f["downtimeS"] or 0.0 for f in felt), 3),
    }


def summary_lines(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    for kind, each in found.items():
        parts = [f"{each['jobs']} ended"]
        if each["successRate"] is not None:
            parts.append(f"{each['successRate']:.0%} completed")
        if each["medianSeconds"] is not None:
            parts.append(f"median {duration(each['medianSeconds'])}")
            parts.append(f"longest {duration(each['longestSeconds'])}")
        if each["longestPauseMs"] is not None:
            parts.append(f"longest pause {each['longestPauseMs']:.0f} ms")
        if each["downtimeSeconds"]:
            parts.append(f"downtime {duration(each['downtimeSeconds'])}")
        yield f"{kind:<11}  " + ", ".join(parts)

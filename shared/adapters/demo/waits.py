"""What clients waited for while something of ours went on: their journal beside our history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.adapters.demo.account import Entry
from shared.ports import ControlStore

AFTER_S = 1.0
"""Behind the end of a step: what it held up is through by then."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Between two readings of one clock."""

    begin: float
    end: float

    def took_ms(self, waits: Iterable[tuple[float, float]]) -> Iterator[float]:
        """Of those that were under way in it; each is its begin and its milliseconds."""
        return (ms for began, ms in waits if began + ms / 1000 >= self.begin and began <= self.end)


def end_of_window(store: ControlStore, job: str) -> tuple[Stretch, Stretch] | None:
    """While the window was closed, and then until the standby stood, as Unix time; None where it
    was not."""
    steps = {step.name: step for step in store.steps(job)}
    if not {"finish", "restore_standby"} <= steps.keys():
        return None
    finish, restore = steps["finish"], steps["restore_standby"]
    if finish.started_at is None or finish.ended_at is None or restore.ended_at is None:
        return None
    closed = finish.ended_at.timestamp() + AFTER_S
    return (
        Stretch(finish.started_at.timestamp(), closed),
        Stretch(closed, max(closed, restore.ended_at.timestamp()) + AFTER_S),
    )


def finishes(store: ControlStore, jobs: Iterable[str], entries: Sequence[Entry]) -> list[Any]:
    """For the report: each finished job with the longest wait of any transaction meanwhile."""
    waits = [(entry.began, entry.took_ms) for entry in entries]
    found = ((job, end_of_window(store, job)) for job in jobs)
    return [
        {
            "job": job,
            "longestMs": round(max(stretches[0].took_ms(waits), default=0.0), 1),
            "standbyLongestMs": round(max(stretches[1].took_ms(waits), default=0.0), 1),
        }
        for job, stretches in found
        if stretches is not None
    ]


def what_was_going_on(store: ControlStore, jobs: Iterable[str], entry: Entry | None) -> str:
    """The last line of any job's history when that transaction ended."""
    if entry is None:
        return "no transaction"
    ended = datetime.fromtimestamp(entry.began + entry.took_ms / 1000, UTC)
    lines = [(line, job) for job in jobs for line in store.history(job)]
    past = [(line.at, line.seq, job, line.sentence) for line, job in lines if line.at <= ended]
    if not past:
        return "before the first job"
    at, _, job, sentence = max(past)
    return f"{(ended - at).total_seconds():.1f} s after {job}: {sentence}"

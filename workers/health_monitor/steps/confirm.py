"""The application is as well after the change as before, under its own traffic.

Guarantee   for some seconds nothing rolled back, failed or slowed down beyond what was usual
            before; of a safe file, which could not be taken back, only that the door answers and
            nothing fails yet: the monitor watches those seconds afterwards (docs/adr/0022); of a
            maintenance the same, at the server: its clients are still held
Repeats     safe: the observation goes on from where it began
Undo        nothing to undo
Fails with  Broken     errors, rollbacks or latency beyond what was usual; or the limit
                       (`--timeout`) is over without enough to judge by: the job rolls back
Source      PostgreSQL manual, "The Cumulative Statistics System": counters of a session that works
            are seen within a second, hence the observation is longer
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain.errors import Broken
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Done, Pending
from workers.health_monitor.confirm_verdict import Traffic
from workers.health_monitor.traffic_watch import OBSERVE_S, TrafficWatch

LOOKS_NEEDED = 3
LOOK_AGAIN_S = 0.5


@dataclass(frozen=True)
class Confirm:
    watch: TrafficWatch

    name: ClassVar[str] = "confirm"

    def is_done(self, job: Job) -> bool:
        seen = self.watch.seen(job)
        return seen is not None and bool(seen.get("well"))

    def do(self, job: Job) -> Done | Pending:
        limit_s = observe_s(job)
        with ThreadPoolExecutor(1, "door") as beside:  # both wait for servers
            trips = beside.submit(self._at_the_door, job, LOOKS_NEEDED if limit_s == 0 else 1)
            seen = self.watch.seen(job) or self.watch.begin(job)
        seen["door_ms"] = [*seen["door_ms"], *trips.result()]
        why, found = self.watch.judge(job, seen)
        elapsed_s = self.watch.elapsed_s(seen)
        if why is not None:
            raise Broken(f"not confirmed after {elapsed_s:.0f} s: {why}")
        answered = sum(ms is not None for ms in seen["door_ms"])
        seen["well"] = found is not None and answered >= LOOKS_NEEDED and elapsed_s >= limit_s
        self.watch.note(job, seen)
        if found is not None and seen["well"]:
            return Done(self._confirmed(job, seen, found))
        if elapsed_s > max(job.options.timeout_s, OBSERVE_S + LOOKS_NEEDED * LOOK_AGAIN_S):
            raise Broken(f"nothing could be confirmed within {job.options.timeout_s:.0f} s")
        return Pending(
            f"watching the traffic, {elapsed_s:.0f} of {limit_s:.0f} s",
            min(0.99, elapsed_s / max(limit_s, 1.0)),
            LOOK_AGAIN_S,
        )

    def undo(self, job: Job) -> Done | Pending:
        return Done("nothing to undo")

    def _at_the_door(self, job: Job, times: int) -> list[float | None]:
        return [self.watch.round_trip_ms(job) for _ in range(times)]

    def _confirmed(self, job: Job, seen: dict[str, Any], found: Traffic) -> str:
        if job.kind is Kind.SAFE:
            return "confirmed: the door answers, nothing fails; the monitor goes on watching"
        if job.kind is Kind.MAINTENANCE:
            return "confirmed: the server answers, nothing fails; clients are still held"
        self.watch.note_impact(job, seen)
        return (
            f"confirmed: {found.total} transactions in {self.watch.elapsed_s(seen):.0f} s, "
            f"{found.rollbacks} rolled back"
        )


def observe_s(job: Job) -> float:
    """How long the job waits for its verdict: while there is traffic to judge, and something to be
    decided by it. A safe file is committed and stays; in a maintenance nobody works, and waits."""
    return min(OBSERVE_S, job.options.timeout_s) if job.kind is Kind.RISKY else 0.0

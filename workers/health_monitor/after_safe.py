"""After a safe file and after a maintenance the monitor goes on watching: `confirm` ended with the
first look.

Nobody could undo them by what is seen here, so no job and no client waits for it. What became worse
is an alert of the job's name, which names a later file as the way back; what became different
stands in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.control.health_store import HealthStore
from shared.adapters.health.alerts import AlertBook
from shared.domain.health import CheckResult
from shared.domain.migration import Job
from workers.health_monitor.traffic_watch import OBSERVE_S, TrafficWatch

KEY = "after"


@dataclass(frozen=True)
class AfterSafe:
    watch: TrafficWatch
    store: HealthStore
    alerts: AlertBook

    def after_look(self, _results: Sequence[CheckResult]) -> None:
        """Raises Transient without the control database."""
        for job in self.store.unwatched_jobs():
            seen = self.watch.seen(job)
            if seen is not None and self.watch.elapsed_s(seen) >= OBSERVE_S:
                self._judge(job, seen)

    def _judge(self, job: Job, seen: dict[str, object]) -> None:
        why, found = self.watch.judge(job, seen)
        if found is None:
            return  # the server is not there: the next look, while the job is not long over
        self.watch.note_impact(job, seen)
        if why is not None:
            self.alerts.raise_alert(
                f"job/{job.id}",
                "warning",
                f"since job {job.id} ({job.file_name} on {job.database}): {why}; the file is"
                " committed and stays: a file of yours takes it back",
                {"job": job.id, "step": "confirm"},
            )
        self.store.note(job.id, KEY, {"well": why is None, "why": why or ""})

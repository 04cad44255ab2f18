"""What the control database counts of jobs, for Prometheus, asked again at most every ten seconds.

Counters are counted anew from rows, so they outlive every process; what retention removes of those
stays in a sum.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.retention_store import BOUNDS_S
from shared.adapters.named_queries import named_queries
from shared.adapters.postgres import PsycopgSession
from shared.domain.errors import MigrationError
from shared.settings import Settings

_SQL = named_queries(__file__, "job_figures.sql")
KEPT_S = 10.0


class JobFigures(Collector):
    def __init__(self, database: ControlDatabase, settings: Settings) -> None:
        self._database = database
        self._name = settings.database
        self._kept: list[Metric] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """What was read last where the control database does not answer now."""
        if time.monotonic() - self._read_at > KEPT_S:
            try:
                with self._database.session() as session:
                    self._kept = list(self._read(session))
                self._read_at = time.monotonic()
            except MigrationError:
                return self._kept
        return self._kept

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the database at registration."""
        return ()

    def _read(self, session: PsycopgSession) -> Iterator[Metric]:
        jobs = CounterMetricFamily("mig_jobs", "Jobs that ended.", labels=("type", "result"))
        for kind, outcome, count in session.rows(_SQL["jobs"]):
            jobs.add_metric((kind, outcome), count)
        yield jobs
        states = GaugeMetricFamily("mig_job_state", "Live jobs.", labels=("state",))
        for phase, count in session.rows(_SQL["live"]):
            states.add_metric((phase,), count)
        yield states
        yield self._durations(session)
        rejected = CounterMetricFamily(
            "mig_messages_rejected", "Messages that were no command.", labels=("reason",)
        )
        for reason, count in session.rows(_SQL["rejected"]):
            rejected.add_metric((reason,), count)
        yield rejected
        alerts = GaugeMetricFamily("mig_alerts", "Raised now.", labels=("severity",))
        for severity, count in session.rows(_SQL["alerts"]):
            alerts.add_metric((severity,), count)
        yield alerts
        yield from self._single(session)

    def _single(self, session: PsycopgSession) -> Iterator[Metric]:
        row = session.row(_SQL["single"], {"database": self._name})
        assert row is not None, "subqueries make one row"
        rows, different, epoch, window_s, stall_s, step_s = row
        for name, text, count in (
            ("mig_verify_rows", "Rows that were compared.", rows),
            ("mig_verify_mismatches", "Rows that were different.", different),
        ):
            counter = CounterMetricFamily(name, text)
            counter.add_metric((), count)
            yield counter
        for name, text, value in (
            ("mig_lease_epoch", "Of the newest command.", epoch),
            ("mig_fence_seconds", "Of the last cutover: from PAUSE to RESUME.", window_s),
            ("mig_max_stall_seconds", "What the last cutover was allowed.", stall_s),
            ("mig_step_running_seconds", "How long the step of the live job runs.", step_s),
        ):
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)

    def _durations(self, session: PsycopgSession) -> Metric:
        """Steps that ended, by how long they took."""
        found = HistogramMetricFamily(
            "mig_step_duration_seconds", "Of steps that ended.", labels=("step",)
        )
        bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
        for step, counts, total_s in session.rows(_SQL["durations"], (list(BOUNDS_S),)):
            found.add_metric((step,), list(zip(bounds, counts, strict=True)), total_s)
        return found

"""What the monitor knows, for Prometheus: a file for a textfile collector, and a port when named.

Base units, few labels, no job ids. Source: Prometheus documentation, "Metric and label naming".
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, start_http_server, write_to_textfile

from shared.domain.health import CheckResult

FILE = "metrics.prom"
_VALUES = {
    "replication.lag": "replication_lag_bytes",
    "blue.retained_wal": "slot_retained_bytes",
    "green.retained_wal": "slot_retained_bytes",
    "rollback_point.verified": "backup_last_verified_timestamp_seconds",
    "blue.connections": "connections",
    "green.connections": "connections",
    "blue.disk": "free_disk_bytes",
    "green.disk": "free_disk_bytes",
    "pooler.clients": "pooler_clients",
    "pooler.waiting": "pooler_waiting",
    "sides.one_writable": "writable_sides",
}
_BY_SIDE = {"slot_retained_bytes", "connections", "free_disk_bytes"}


class Metrics:
    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        """With a port they are served on loopback as well."""
        self._path = directory / FILE
        self._registry = CollectorRegistry()
        self._healthy = self._gauge("check_healthy", "1 when the check holds.", "check")
        self._heartbeat = self._gauge("monitor_heartbeat_timestamp_seconds", "Last look.")
        self._door = self._gauge("door_round_trip_seconds", "Login and query, pooled door.")
        self._jobs = self._gauge("jobs", "Jobs by type and result.", "type", "result")
        self._values = {
            name: self._gauge(name, "As measured.", *(["side"] if name in _BY_SIDE else []))
            for name in sorted(set(_VALUES.values()))
        }
        if port is not None:
            start_http_server(port, addr="127.0.0.1", registry=self._registry)

    def show(self, results: Iterable[CheckResult], jobs: Iterable[tuple[str, str, int]]) -> None:
        """`jobs`: how many of each kind ended how (`live` for those that have not)."""
        for result in results:
            self._healthy.labels(result.name).set(result.healthy)
            self._value(result)
        for kind, outcome, count in jobs:
            self._jobs.labels(kind, outcome).set(count)
        self._heartbeat.set(time.time())
        write_to_textfile(str(self._path), self._registry)

    def _value(self, result: CheckResult) -> None:
        if result.value is None:
            return
        if result.name == "door.pooled":
            self._door.set(result.value / 1000)
        name = _VALUES.get(result.name)
        if name is not None:
            gauge = self._values[name]
            side = result.name.split(".")[0]
            (gauge.labels(side) if name in _BY_SIDE else gauge).set(result.value)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"mig_{name}", text, labels, registry=self._registry)

"""What the monitor knows, for Prometheus: a file for a textfile collector, and a port when named.

Base units, few labels, no job ids; docs/monitoring.md lists the names, which begin with `mig_`.
Source: Prometheus documentation, "Metric and label naming".
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, start_http_server, write_to_textfile
from prometheus_client.registry import Collector

from shared.domain.environment import Colour
from shared.domain.health import CheckResult
from shared.settings import AlertSettings

FILE = "metrics.prom"
PREFIX = "mig_"
_BY_SIDE = {
    "retained_wal": "slot_retained_bytes",
    "connections": "connections",
    "wal_senders": "wal_senders",
    "replication_slots": "replication_slots",
    "disk": "free_disk_bytes",
    "memory": "memory_bytes",
    "cpu": "cpu_ratio",
}
"""By the part of the check's name behind the side."""
_VALUES = {
    "rollback_point.verified": "backup_last_verified_timestamp_seconds",
    "replication.trend": "replication_lag_growth_bytes_per_second",
    "door.access_log": "refused_connections",
    "log.errors": "new_error_classes",
    "pooler.clients": "pooler_clients",
    "pooler.waiting": "pooler_waiting",
    "sides.one_writable": "writable_sides",
    "audit.chain": "audit_chain_ok",
}
_SECONDS = {"door.pooled": "door_round_trip_seconds"}
"""Measured in milliseconds."""


class Metrics:
    def __init__(
        self, directory: Path, *collectors: Collector, settings: AlertSettings | None = None
    ) -> None:
        """`collectors` tell more at each scrape. With `metrics_port` all is served there too."""
        self._path = directory / FILE
        self._registry = CollectorRegistry()
        for collector in collectors:
            self._registry.register(collector)
        self._healthy = self._gauge("check_healthy", "1 when the check holds.", "check")
        self._heartbeat = self._gauge("monitor_heartbeat_timestamp_seconds", "Last look.")
        self._active = self._gauge("active_side", "1 for the side that takes writes.", "side")
        self._lag = self._gauge("replication_lag_bytes", "Of the side that follows.", "side")
        self._lag_seconds = self._gauge("replication_lag_seconds", "Of the one that is last.")
        self._certificate = self._gauge(
            "certificate_expiry_timestamp_seconds", "When it ends.", "service"
        )
        self._agents = self._gauge("agent_task_seconds", "A task through its queue.", "agent")
        self._sided = {
            name: self._gauge(name, "As measured.", "side") for name in sorted(_BY_SIDE.values())
        }
        self._values = {
            name: self._gauge(name, "As measured.")
            for name in sorted({*_VALUES.values(), *_SECONDS.values()})
        }
        if settings is not None and settings.metrics_port is not None:
            certificate, key = settings.metrics_certificate, settings.metrics_key
            start_http_server(
                settings.metrics_port,
                addr=settings.metrics_address,
                registry=self._registry,
                certfile=None if certificate is None else str(certificate),
                keyfile=None if key is None else str(key),
            )

    def show(self, results: Iterable[CheckResult]) -> None:
        for result in results:
            self._healthy.labels(result.name).set(result.healthy)
            if result.name == "sides.one_writable":
                for side in Colour:
                    self._active.labels(side.value).set(result.more.get(side.value, 0))
            self._value(result)
        self._heartbeat.set(time.time())
        write_to_textfile(str(self._path), self._registry)

    def _value(self, result: CheckResult) -> None:
        if result.value is None:
            return
        subject, _, what = result.name.partition(".")
        if result.name == "replication.lag":
            for side in Colour:
                self._lag.labels(side.value).set(result.more.get(side.value, 0))
            self._lag_seconds.set(result.more.get("seconds", 0))
        elif subject == "certificate":
            self._certificate.labels(what).set(result.value)
        elif subject == "agent":
            self._agents.labels(what).set(result.value)
        elif subject in tuple(Colour) and what in _BY_SIDE:
            self._sided[_BY_SIDE[what]].labels(subject).set(result.value)
        elif result.name in _SECONDS:
            self._values[_SECONDS[result.name]].set(result.value / 1000)
        elif result.name in _VALUES:
            self._values[_VALUES[result.name]].set(result.value)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self._registry)

"""What the monitor knows is served to Prometheus, and kept for people."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.health.job_figures import JobFigures
from shared.adapters.health.metrics import Metrics
from shared.domain.health import CheckResult
from shared.settings import AlertSettings
from tests.support.cluster import free_port
from tests.support.stack import Stack, running_stack
from tests.support.watched import Watched, watching


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def watched(stack: Stack, tmp_path: Path) -> Iterator[Watched]:
    with watching(stack, tmp_path) as watched:
        yield watched


def test_prometheus_is_served_what_the_monitor_knows(watched: Watched, tmp_path: Path) -> None:
    port = free_port()
    figures = JobFigures(watched.database, watched.settings)
    watched.monitor.metrics = Metrics(tmp_path, figures, settings=AlertSettings(metrics_port=port))
    watched.look()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        shown = answer.read().decode()
    for line in (
        'mig_active_side{side="blue"} 1.0',
        'mig_active_side{side="green"} 0.0',
        'mig_check_healthy{check="blue.available"} 1.0',
        'mig_check_healthy{check="agent.backup"} 0.0',
        "mig_writable_sides 1.0",
        "mig_audit_chain_ok 1.0",
    ):
        assert line in shown
    for name in NAMES:
        assert f"# TYPE {name} " in shown, name


NAMES = (
    "mig_jobs_total",
    "mig_step_duration_seconds",
    "mig_job_state",
    "mig_replication_lag_bytes",
    "mig_replication_lag_seconds",
    "mig_slot_retained_bytes",
    "mig_verify_rows_total",
    "mig_verify_mismatches_total",
    "mig_active_side",
    "mig_backup_last_verified_timestamp_seconds",
    "mig_messages_rejected_total",
    "mig_audit_chain_ok",
    "mig_monitor_heartbeat_timestamp_seconds",
)


def test_the_last_result_of_a_check_is_kept_for_people(watched: Watched) -> None:
    counted, none = CheckResult("counted", True, "well", value=3), CheckResult("none", True, "well")
    watched.store.record([CheckResult("test", True, "well", value=0.5), counted, none])
    watched.store.record([CheckResult("test", False, "not well", "critical", 1.5)])
    rows = watched.sql(
        "SELECT name, healthy, severity, sentence, value FROM bluegreen_control.check_result "
        "WHERE name IN ('counted', 'none', 'test') ORDER BY name"
    )
    assert rows == [
        ("counted", True, "warning", "well", 3.0),
        ("none", True, "warning", "well", None),
        ("test", False, "critical", "not well", 1.5),
    ]

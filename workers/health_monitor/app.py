"""The health-monitor's process: its steps, and beside them the monitor that never stops."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from shared.adapters.alerts import AlertBook, Sinks
from shared.adapters.celery_shell import make_worker, run_beside
from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.door_probe import PooledDoor
from shared.adapters.health import HealthChecks
from shared.adapters.job_figures import JobFigures
from shared.adapters.metrics import Metrics
from shared.adapters.node_factory import make_nodes
from shared.adapters.pooler_facts import read_pooler
from shared.adapters.redis_bus import RedisBus
from shared.domain.objects import AGENT_ROLES
from shared.ports import Step
from shared.settings import Settings, load
from workers.health_monitor.monitor import Monitor
from workers.health_monitor.recorder import Recorder
from workers.health_monitor.steps.confirm import Confirm
from workers.health_monitor.steps.hold_in_sync import HoldInSync
from workers.health_monitor.steps.hold_rollback_window import HoldRollbackWindow
from workers.health_monitor.steps.preflight import Preflight

ROLE = AGENT_ROLES["health-monitor"]
settings = load(os.environ)
database = ControlDatabase(settings, application_name="bluegreen/health-monitor")
store, bus = HealthStore(database), RedisBus(settings)
alerts = AlertBook(store, bus, Sinks(settings.alerts.urls))
checks = HealthChecks(settings, database)
monitor = Monitor(
    look_at_all=checks.look,
    store=store,
    alerts=alerts,
    bus=bus,
    metrics=Metrics(
        settings.state_dir, JobFigures(database, settings), port=settings.alerts.metrics_port
    ),
    settings=settings.monitor,
    after_look=Recorder(checks, BaselineStore(database), settings.database).after_look,
)


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = make_nodes(settings, ROLE)
    now = partial(datetime.now, UTC)
    door = PooledDoor(settings)
    return (
        Preflight(
            nodes=nodes,
            read_pooler=partial(read_pooler, settings),
            door=door,
            observations=store,
            application_role=settings.application_role,
            exempt=exempt(settings),
            now=now,
        ),
        Confirm(nodes=nodes, door=door, observations=store, now=now),
        HoldInSync(nodes=nodes, alerts=alerts),
        HoldRollbackWindow(nodes=nodes, alerts=alerts, now=now),
    )


def exempt(settings: Settings) -> tuple[str, ...]:
    """Roles that are no clients of the application's database."""
    administrators = {node.administrator for node in settings.nodes.values()}
    return (*administrators, *settings.exempt_roles)


app = make_worker("health-monitor", build_steps)
run_beside(app, "monitor", monitor.run)

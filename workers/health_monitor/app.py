"""The health-monitor's process: its steps, and beside them the monitor that never stops."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.doors.door_addresses import door_addresses, own_address
from shared.adapters.doors.door_probe import PooledDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.health.checks import HealthChecks
from shared.adapters.health.free_space import free_bytes
from shared.adapters.health.job_figures import JobFigures
from shared.adapters.health.metrics import Metrics
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.adapters.pooler.poolers import poolers_of
from shared.adapters.queue.celery_shell import make_worker, run_beside
from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.domain.objects import AGENT_ROLES
from shared.ports import Node, Step
from shared.settings import Settings, load
from workers.health_monitor.after_safe import AfterSafe
from workers.health_monitor.failover.deed import Failover
from workers.health_monitor.failover.watch import FailoverWatch
from workers.health_monitor.monitor import Monitor
from workers.health_monitor.recorder import Recorder
from workers.health_monitor.speed import Speed
from workers.health_monitor.steps.confirm import Confirm
from workers.health_monitor.steps.hold_in_sync import HoldInSync
from workers.health_monitor.steps.hold_rollback_window import HoldRollbackWindow
from workers.health_monitor.steps.preflight import Preflight
from workers.health_monitor.traffic_watch import TrafficWatch

ROLE = AGENT_ROLES["health-monitor"]
settings = load(os.environ)
database = ControlDatabase(
    settings, application_name="bluegreen/health-monitor", agent="health-monitor"
)
store, bus = HealthStore(database), RedisBus(settings)
alerts = AlertBook(store, bus, Sinks(settings.alerts.urls))
checks = HealthChecks(settings, database)
now = partial(datetime.now, UTC)


def traffic_watch(settings: Settings, nodes: Mapping[Colour, Node]) -> TrafficWatch:
    speed = Speed(
        partial(read_pooler, settings),
        now,
        lambda: BaselineStore(database).current(settings.database),
    )
    return TrafficWatch(nodes, PooledDoor(settings), store, now, speed)


recorder = Recorder(checks, BaselineStore(database), settings.database)
after_safe = AfterSafe(traffic_watch(settings, make_nodes(settings, ROLE)), store, alerts)


def after_look(results: Sequence[CheckResult]) -> None:
    recorder.after_look(results)
    after_safe.after_look(results)


monitor = Monitor(
    look_at_all=checks.look,
    store=store,
    alerts=alerts,
    bus=bus,
    metrics=Metrics(settings.state_dir, JobFigures(database, settings), settings=settings.alerts),
    settings=settings.monitor,
    after_look=after_look,
)


def make_failover_watch(settings: Settings) -> FailoverWatch:
    nodes, pooler = make_nodes(settings, ROLE), poolers_of(settings)
    door = SymlinkDoor(settings)

    def leads_to() -> Colour | None:
        """By the link, where this process can see it."""
        try:
            return door.routed_to()
        except MigrationError:
            return pooler.routed_to()

    failover = Failover(nodes, pooler, door)
    return FailoverWatch(nodes, failover, alerts, settings.monitor.failover, leads_to)


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = make_nodes(settings, ROLE)
    watch = traffic_watch(settings, nodes)
    return (
        Preflight(
            nodes=nodes,
            read_pooler=partial(read_pooler, settings),
            door=watch.door,
            observations=store,
            application_role=settings.application_role,
            exempt=exempt(settings),
            now=now,
            speed=watch.speed,
            exempt_applications=settings.exempt_applications,
            door_addresses=partial(door_addresses, settings.doors.host),
            own_addresses=lambda: {
                colour: own_address(node.host, node.port) for colour, node in settings.nodes.items()
            },
            remote=tuple(
                colour for colour, node in settings.nodes.items() if node.driver == "remote"
            ),
            free_backup_bytes=partial(free_bytes, settings.backup_dir),
            unread=tuple(
                colour for colour, node in settings.nodes.items() if not node.is_read_by_other
            ),
        ),
        Confirm(watch),
        HoldInSync(nodes=nodes, alerts=alerts),
        HoldRollbackWindow(nodes=nodes, alerts=alerts, now=now),
    )


def exempt(settings: Settings) -> tuple[str, ...]:
    """Roles that are no clients of the application's database."""
    administrators = {node.administrator for node in settings.nodes.values()}
    return (*administrators, *settings.exempt_roles)


app = make_worker("health-monitor", build_steps)
run_beside(app, "monitor", monitor.run)
run_beside(app, "failover", make_failover_watch(settings).run)

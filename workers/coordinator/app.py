"""The coordinator's process: its two waiting steps, and beside them the loop that decides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.coordinator_store import CoordinatorStore
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.retention_store import RetentionStore
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.health.heartbeat import HeartbeatWatch
from shared.adapters.queue.celery_client import queue_is_empty, send
from shared.adapters.queue.celery_shell import make_worker, on_wake, run_beside
from shared.adapters.queue.flower_rows import FlowerRows
from shared.adapters.queue.redis_bus import RedisBus
from shared.ports import Step
from shared.settings import Settings, load
from workers.coordinator.decide import Coordinator
from workers.coordinator.keeping import Keeping
from workers.coordinator.loop import Doorbell, listen, run_turns
from workers.coordinator.steps.hold_for_approval import HoldForApproval
from workers.coordinator.steps.wait_for_window import WaitForWindow

settings = load(os.environ)
database = ControlDatabase(settings, application_name="bluegreen/coordinator", agent="coordinator")
bus = RedisBus(settings)
alerts = AlertBook(HealthStore(database), bus, Sinks(settings.alerts.urls))


def build_steps(_settings: Settings) -> Sequence[Step]:
    return (HoldForApproval(), WaitForWindow(clock=lambda: datetime.now(UTC), alerts=alerts))


app = make_worker("coordinator", build_steps)
bell = Doorbell()
coordinator = Coordinator(
    store=CoordinatorStore(database),
    send=partial(send, app),
    queue_is_empty=partial(queue_is_empty, settings),
    bus=bus,
    rows=FlowerRows(app),
)
on_wake(app, "coordinator", bell.ring)
keeping = Keeping(RetentionStore(database), partial(load, os.environ))
run_beside(app, "decide", run_turns(coordinator, bell))
run_beside(app, "listen", listen(bus, bell))
run_beside(app, "keeping", keeping.run)
run_beside(
    app, "heartbeat", HeartbeatWatch(HealthStore(database), alerts, settings.monitor.period_s).run
)

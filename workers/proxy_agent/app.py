"""The proxy-agent's process: the cutover, and holding traffic for maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.switch_store import SwitchStore
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.pooler.poolers import poolers_of
from shared.adapters.queue.celery_shell import make_worker
from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.objects import AGENT_ROLES
from shared.ports import Step
from shared.settings import Settings
from workers.proxy_agent.companions import probes, watchdogs
from workers.proxy_agent.measured_switch import MeasuredSwitch
from workers.proxy_agent.recovery import Recovery
from workers.proxy_agent.steps.cutover import Cutover
from workers.proxy_agent.steps.hold_traffic import HoldTraffic
from workers.proxy_agent.steps.release_traffic import ReleaseTraffic
from workers.proxy_agent.switch import Switch


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = addressed_nodes(settings, AGENT_ROLES["proxy-agent"])
    pooler, door = poolers_of(settings), SymlinkDoor(settings)
    control = ControlDatabase(
        settings, application_name="bluegreen/proxy-agent-switches", agent="proxy-agent"
    )
    switch = MeasuredSwitch(
        Switch(nodes, pooler, door, watchdogs(settings)),
        probes(settings),
        {colour: node.cluster_name for colour, node in settings.nodes.items()},
        SwitchStore(control),
        RedisBus(settings),
    )
    cutover = Cutover(switch, Recovery(nodes, pooler, door), partial(datetime.now, UTC))
    store, now = HealthStore(control), partial(datetime.now, UTC)
    alerts = AlertBook(store, RedisBus(settings), Sinks(settings.alerts.urls))
    hold = HoldTraffic(nodes, pooler, store, alerts, now)
    return (cutover, hold, ReleaseTraffic(nodes, pooler, store, alerts, now))


app = make_worker("proxy-agent", build_steps)

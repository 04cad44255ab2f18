"""`bluegreen failover`: an operator lets the standby take over, with nothing else of ours alive.

A process of its own (`python -m workers.health_monitor.failover.command`): it asks the two servers
and the doors, and needs no Redis, no coordinator and no control database.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.errors import MigrationError, Refused
from shared.domain.objects import AGENT_ROLES
from shared.monitor_settings import FailoverSettings
from shared.settings import Settings
from workers.health_monitor.failover.deed import Failover
from workers.health_monitor.failover.watch import FailoverWatch


class _Nobody:
    """Alerts are the monitor's; here a person reads the answer."""

    def raise_alert(self, *_: Any) -> None: ...

    def clear_alert(self, *_: Any) -> None: ...


def answer(order: Mapping[str, Any]) -> dict[str, Any]:
    """What is said back: what came of it, or the error in its family."""
    settings = Settings.model_validate(order["settings"])
    nodes = make_nodes(settings, AGENT_ROLES["health-monitor"])
    pooler = poolers_of(settings)
    failover = Failover(nodes, pooler, SymlinkDoor(settings))
    try:
        dead = pooler.routed_to()
        watch = FailoverWatch(
            nodes, failover, _Nobody(), FailoverSettings(policy="ask", after_s=1e-9),
            lambda: dead,
        )  # fmt: skip
        verdict = watch.look()
        if verdict.act != "ask":
            raise Refused(
                f"expected {dead} to be dead and {dead.other} to be its standby, found: "
                f"{verdict.says}; nothing was touched",
                remedy="`bluegreen proxy status` and `bluegreen health` show more",
            )
        told = failover.run(dead, accept_loss=bool(order.get("accept_loss")))
        return {"told": {**asdict(told), "sentence": told.sentence}}
    except MigrationError as error:
        return {"family": error.family, "message": error.message, "remedy": error.remedy}


def main() -> None:
    print(json.dumps(answer(json.loads(sys.stdin.readline())), default=str), flush=True)


if __name__ == "__main__":
    main()

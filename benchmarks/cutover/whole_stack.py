"""Switches on a whole stack: every agent at work, a real file, an application under load.

Usage: python -m benchmarks.cutover.whole_stack [SWITCHES [RATE]]    (20 and 400 unless given)

A job waits for its approval, in sync; traffic goes to green and back again by the proxy-agent's
own routine. Two applications, clients of five statements and the demo's shop; for each a file that
leaves its tables as they are, and one that changes at each switch what every client reads and
writes: columns retyped and added, for the shop 001_shop_grows_up.sql. `floorMs` is what the
longest wait is in stretches of the same length between switches.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import bluegreen, held_job, keep, quantile, stack, until_status
from benchmarks.cutover.applications import Application, Waits, five_statements, longest_ms, shop
from benchmarks.cutover.attempts import switched
from benchmarks.cutover.figures import spread
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.environment import Colour
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings, load
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Order, Switch, Switched

SWITCHES, RATE = 20, 400.0
MAX_STALL_MS = 500
BETWEEN_S = 3.0
"""Before each switch, and behind the last: room for a stretch without one, in a wide pool."""
AFTER_S = 1.0
CALM_S = 2.5
"""So long after RESUME a stretch without a switch begins: by then the pool is as wide as before."""
STEP_LIMIT_S = 300
SAME_SHAPE = "CREATE TABLE shelf (id bigint PRIMARY KEY, room text NOT NULL);\n"
RETYPED = """ALTER TABLE entry ALTER COLUMN n TYPE bigint;
ALTER TABLE counter ALTER COLUMN n TYPE numeric(20);
ALTER TABLE account ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
"""
GROWS_UP = Path(__file__).parents[2] / "shared/adapters/demo/001_shop_grows_up.sql"


@dataclass(frozen=True)
class Series:
    """Switches of one job, and what its first and last moment were."""

    name: str
    switched: list[Switched]
    gave_up: int


def there_and_back(settings: Settings, job: str, name: str, switches: int) -> Series:
    nodes = addressed_nodes(settings, AGENT_ROLES["proxy-agent"])
    switch = Switch(nodes, poolers_of(settings), SymlinkDoor(settings), watchdogs(settings))
    found: list[Switched] = []
    old, gave_up = Colour.BLUE, 0
    while len(found) < switches or old is not Colour.BLUE:
        time.sleep(BETWEEN_S)
        way = Way.FORWARD if old is Colour.BLUE else Way.BACK
        done, in_vain = switched(switch, Order(job, way, old, True, MAX_STALL_MS))
        found.append(done)
        gave_up += in_vain
        old = old.other
    time.sleep(BETWEEN_S)
    return Series(name, found, gave_up)


def series(state: Path, settings: Settings, file: Path, name: str, switches: int) -> Series:
    """One job from its submission to its end, with the switches while it is held."""
    job = held_job(state, file, "--accept-broken-statements", limit_s=STEP_LIMIT_S)
    found = there_and_back(settings, job, name, switches)
    bluegreen(state, "abort", job, "--yes", check=False)
    until_status(
        state, job, lambda status: status["outcome"] == "rolled_back", limit_s=STEP_LIMIT_S
    )
    return found


def measure(
    application: Application, files: dict[str, Path], switches: int, rate: float
) -> list[dict[str, Any]]:
    """A stack of its own, one job for each file in turn, a row for each."""
    with stack() as (state, doors), tempfile.TemporaryDirectory() as name:
        settings = load({"BLUEGREEN_STATE_DIR": str(state)})
        with application(doors, Path(name), rate) as record:
            every = [
                series(state, settings, file, file_name, switches)
                for file_name, file in files.items()
            ]
        return [
            {"application": application.__name__.replace("_", " "), "account": record.account}
            | row(each, record.waits)
            for each in every
        ]


def main() -> None:
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else SWITCHES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    with tempfile.TemporaryDirectory() as name:
        same, retyped = Path(name) / "001_shelf.sql", Path(name) / "002_wider.sql"
        same.write_text(SAME_SHAPE, encoding="utf-8")
        retyped.write_text(RETYPED, encoding="utf-8")
        rows = [
            *measure(five_statements, _files(same, retyped), switches, rate),
            *measure(shop, _files(same, GROWS_UP), switches, rate),
        ]
    keep("cutover_whole_stack", {"unit": "ms", "rate": rate, "rows": rows})


def _files(staying: Path, changing: Path) -> dict[str, Path]:
    return {"schema stays": staying, "schema changes": changing}


def row(each: Series, waits: Waits) -> dict[str, Any]:
    found = each.switched
    calm = [(one.resumed_at + CALM_S, one.resumed_at + CALM_S + AFTER_S) for one in found]
    quiet = sorted(ms for began, ms in waits if any(since <= began <= end for since, end in calm))
    return {
        "file": each.name,
        "switches": len(found),
        "gaveUp": each.gave_up,
        "longestMs": spread(
            [longest_ms(waits, one.paused_at, one.resumed_at + AFTER_S) for one in found]
        ),
        "floorMs": spread([longest_ms(waits, since, end) for since, end in calm]),
        "windowMs": spread([one.window_ms for one in found]),
        "phasesMs": {
            name: spread([one.phases_ms[name] for one in found]) for name in found[0].phases_ms
        },
        "baselineMs": {"p50": quantile(quiet, 0.5), "p99": quantile(quiet, 0.99)},
    }


if __name__ == "__main__":
    main()

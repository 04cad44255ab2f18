"""Switches on a whole stack: every agent at work, a real file, the demo's shop under load.

Usage: python -m benchmarks.cutover.whole_stack [SWITCHES [RATE]]    (20 and 400 unless given)

The job waits for its approval, in sync; traffic goes to green and back again by the proxy-agent's
own routine. The schema changes at each switch, as shared/adapters/demo/001_shop_grows_up.sql says.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench import bluegreen, keep, quantile, stack
from benchmarks.cutover.figures import spread
from shared.adapters.demo.account import balance, read_cents, read_journal
from shared.adapters.demo.shop import build_shop, open_session
from shared.adapters.direct_door import SymlinkDoor
from shared.adapters.poolers import poolers_of
from shared.adapters.remote_driver import addressed_nodes
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings, load
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Order, Switch, Switched

SWITCHES, RATE = 20, 400.0
ROWS = 2000
MAX_STALL_MS = 500
BETWEEN_S = 1.5
AFTER_S = 1.0
HOLD_LIMIT_S = 300
FILE = Path(__file__).parents[2] / "shared/adapters/demo/001_shop_grows_up.sql"


def held_job(state: Path) -> str:
    words = ("--yes", "--hold", "--detach", "--accept-broken-statements")
    job: str = bluegreen(state, "run", str(FILE), *words)["job"]
    deadline = time.monotonic() + HOLD_LIMIT_S
    while (found := bluegreen(state, "status", job))["step"] != "hold_for_approval":
        if found["outcome"] or time.monotonic() > deadline:
            raise SystemExit(f"job {job} did not come to its hold: {found['sentence']}")
        time.sleep(1)
    return job


def there_and_back(settings: Settings, job: str, switches: int) -> list[Switched]:
    nodes = addressed_nodes(settings, AGENT_ROLES["proxy-agent"])
    switch = Switch(nodes, poolers_of(settings), SymlinkDoor(settings), watchdogs(settings))
    found: list[Switched] = []
    old = Colour.BLUE
    while len(found) < switches or old is not Colour.BLUE:
        time.sleep(BETWEEN_S)
        way = Way.FORWARD if old is Colour.BLUE else Way.BACK
        deadline = time.monotonic() + 60
        while True:
            try:
                found.append(switch.run(Order(job, way, old, True, MAX_STALL_MS)))
                break
            except Transient:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        old = old.other
    time.sleep(BETWEEN_S)
    return found


def longest_ms(journal: list[tuple[float, float]], switched: Switched, offset_s: float) -> float:
    """`offset_s` is what the monotonic clock lacks to the journal's."""
    begin, end = switched.paused_at + offset_s, switched.resumed_at + offset_s + AFTER_S
    return max(ms for began, ms in journal if began + ms / 1000 >= begin and began <= end)


def main() -> None:
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else SWITCHES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    with stack() as (state, doors), tempfile.TemporaryDirectory() as folder:
        settings = load({"BLUEGREEN_STATE_DIR": str(state)})
        build_shop(doors["direct"], ROWS)
        dsn, journal = Path(folder) / "dsn", Path(folder) / "journal.tsv"
        dsn.write_text(doors["app"], encoding="utf-8")
        with open_session(doors["direct"]) as session:
            cents = read_cents(session)
        words = ["--dsn-file", str(dsn), "--journal", str(journal), "--rate", str(rate)]
        shop = subprocess.Popen([sys.executable, "-m", "shared.adapters.demo.load", *words])
        try:
            job = held_job(state)
            found = there_and_back(settings, job, switches)
        finally:
            shop.terminate()
            shop.wait(30)
        offset_s = time.time() - time.monotonic()
        with open_session(doors["app"]) as session:
            account = balance(read_journal(journal), session, cents)
        bluegreen(state, "abort", job, "--yes", check=False)
        lines = [line.split("\t") for line in journal.read_text("utf-8").splitlines()]
        waits = [(float(began), float(ms)) for began, ms, *_ in lines]
        keep("cutover_whole_stack", result(found, waits, offset_s, account, rate))


def result(
    found: list[Switched], waits: list[tuple[float, float]], offset_s: float, account: Any,
    rate: float,
) -> dict[str, Any]:  # fmt: skip
    longest = [longest_ms(waits, switched, offset_s) for switched in found]
    first = found[0].paused_at + offset_s
    calm = sorted(ms for began, ms in waits if first - 30 <= began <= first - 1)
    return {
        "unit": "ms",
        "rate": rate,
        "switches": len(found),
        "longestMs": spread(longest),
        "windowMs": spread([switched.window_ms for switched in found]),
        "phasesMs": {
            name: spread([switched.phases_ms[name] for switched in found])
            for name in found[0].phases_ms
        },
        "baselineMs": {"p50": quantile(calm, 0.5), "p99": quantile(calm, 0.99)},
        "account": {
            name: getattr(account, name)
            for name in ("acknowledged", "failed", "lost", "duplicated")
        },
    }


if __name__ == "__main__":
    main()

"""Four designs, three rates, with a schema that stays and one that changes: one JSON, one plot.

Usage: python -m benchmarks.cutover [--switches N] [--rates R,R] [--designs D,D]

Results go to build/bench/cutover.json and .png; `benchmarks/results/` keeps the last whole run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from typing import Any

from benchmarks.bench import BUILD, keep
from benchmarks.cutover import designs
from benchmarks.cutover.arena import account, clients
from benchmarks.cutover.designs import Design, Turn
from benchmarks.cutover.figures import figures
from benchmarks.cutover.plot import plot

RATES = (100, 400, 800)
SWITCHES = 20
WARM_UP_S = 2.0
BETWEEN_S = 1.2
"""Clients work undisturbed so long before and after each switch."""
ALL: dict[str, Callable[[], AbstractContextManager[Design]]] = {
    "ours": partial(designs.ours, changing=False),
    "ours, schema changes": partial(designs.ours, changing=True),
    "(a) reload": designs.reload,
    "(b) lsn": designs.lsn,
    "(c) promote": designs.promote,
}


def measure(name: str, rate: float, switches: int) -> dict[str, Any]:
    turns: list[Turn] = []
    with ALL[name]() as design:
        with clients(design.dsn, rate, 0) as load:
            time.sleep(WARM_UP_S)
            for _ in range(switches):
                time.sleep(BETWEEN_S)
                turns.append(design.turn())
            time.sleep(2 * BETWEEN_S)
        found = figures(load, turns, _names(design))
        found["account"] = asdict(account(design.world, design.serving, [load]))
    return {"design": name, "rate": rate, **found}


def _names(design: Design) -> list[str]:
    """The server that each turn led away from, by name."""
    sides = [server.settings["cluster_name"] for server in design.world.servers.values()]
    return sides


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=SWITCHES)
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    parser.add_argument("--designs", default=";".join(ALL), help="separated by semicolons")
    wanted = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for rate in wanted.rates.split(","):
        for name in wanted.designs.split(";"):
            rows.append(measure(name, float(rate), wanted.switches))
            print(f"{name} at {rate}/s: {rows[-1]['longestMs']}", flush=True)
    keep("cutover", {"unit": "ms", "switches": wanted.switches, "rows": rows})
    plot(rows, BUILD / "cutover.png")


if __name__ == "__main__":
    main()

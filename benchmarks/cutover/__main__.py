"""Four designs, three rates, with a schema that stays and one that changes: one JSON, one plot.

Ours also under clients that never rest (`SATURATED`).

Usage: python -m benchmarks.cutover [--switches N] [--rates R,R] [--designs D;D] [--add]

Results go to build/bench/cutover.json and .png; `benchmarks/results/` keeps the last whole run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from typing import Any

from benchmarks.bench import BUILD, RESULTS, keep
from benchmarks.cutover import designs
from benchmarks.cutover.arena import account, clients
from benchmarks.cutover.designs import Design, Turn
from benchmarks.cutover.figures import figures
from benchmarks.cutover.plot import SATURATED, plot

RATES = (100.0, 400.0, 800.0, SATURATED)
SWITCHES = 20
WARM_UP_S = 2.0
"""Clients log in, the pool fills, and caches are warm before anything counts."""
BETWEEN_S = 1.2
"""Clients work undisturbed so long before and after each switch."""
OURS = ("ours", "ours, schema changes")
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
        sides = [server.settings["cluster_name"] for server in design.world.servers.values()]
        found = figures(load, turns, sides)
        found["account"] = asdict(account(design.world, design.serving, [load]))
    return {"design": name, "rate": rate, "switches": switches, "load": os.getloadavg()[0], **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=SWITCHES)
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    parser.add_argument("--designs", default=";".join(ALL), help="separated by semicolons")
    parser.add_argument("--add", action="store_true", help="keep the other rows of the last run")
    wanted = parser.parse_args()
    rows = _last_rows() if wanted.add else []
    for rate in wanted.rates.split(","):
        for name in wanted.designs.split(";"):
            if float(rate) == SATURATED and name not in OURS:
                continue
            row = measure(name, float(rate), wanted.switches)
            rows = [each for each in rows if _key(each) != _key(row)] + [row]
            print(f"{name} at {rate}/s: {row['longestMs']}", flush=True)
            _keep(rows)
    print(f"{BUILD / 'cutover.json'} and .png: longest waits in milliseconds, phases, accounts")


def _keep(rows: list[dict[str, Any]]) -> None:
    """After each row, so that a run that breaks off has its results."""
    order = list(ALL)
    rows.sort(key=lambda each: (each["rate"], order.index(each["design"])))
    keep("cutover", {"unit": "ms", "rows": rows}, show=False)
    plot(rows, BUILD / "cutover.png")
    shutil.copy(BUILD / "cutover.png", RESULTS / "cutover.png")


def _key(row: dict[str, Any]) -> tuple[str, float]:
    return row["design"], row["rate"]


def _last_rows() -> list[dict[str, Any]]:
    last = RESULTS / "cutover.json"
    rows: list[dict[str, Any]] = json.loads(last.read_text())["rows"] if last.exists() else []
    return rows


if __name__ == "__main__":
    main()

"""Many switches in a row under load; not one transaction may fail, be lost or be doubled.

Usage: python -m benchmarks.cutover.soak [SWITCHES [RATE]]    (1,000 and 400 unless given)

Half of them keep the schema, half change it. What has been done is kept after every leg of 50, in
benchmarks/results/cutover_soak.json: a run that was broken off goes on where it stopped, with a
pair of servers of its own, so that a row of the result says how many came one after the other.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.bench import BUILD, keep
from benchmarks.cutover.__main__ import ALL, WARM_UP_S
from benchmarks.cutover.arena import Clients, account, clients
from benchmarks.cutover.designs import Design, Turn
from benchmarks.cutover.figures import figures

NAME = "cutover_soak"
DESIGNS = ("ours", "ours, schema changes")
SWITCHES, RATE = 1000, 400.0
LEG = 50
BETWEEN_S = 0.05
"""Clients work undisturbed while each switch is prepared, which takes about a second."""
LEG_NUMBERS = 10_000_000
"""Each leg's clients count from a multiple of it, so that no two rows have one number."""
MUST_BE_0 = ("failed", "lost", "unexpected", "doubled", "wrongly_counted", "lateWrites")
Row = dict[str, Any]


def main() -> None:
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else SWITCHES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    rows = unfinished(switches, rate)
    for name in DESIGNS:
        done = sum(row["switches"] for row in rows if row["design"] == name)
        if done < switches // 2:
            rows = in_a_row(name, switches // 2 - done, rate, rows, switches)
    wrong = [
        f"{row['design']}: {name} {row['account'][name]}"
        for row in rows for name in MUST_BE_0 if row["account"][name]
    ]  # fmt: skip
    if wrong:
        raise SystemExit(f"expected 0 of each, found {'; '.join(wrong)}")


def unfinished(switches: int, rate: float) -> list[Row]:
    """The rows of a run that was broken off; none where the last one came to its end, or found
    something wrong."""
    last = BUILD / f"{NAME}.json"
    body = json.loads(last.read_text("utf-8")) if last.exists() else {}
    if (body.get("wanted"), body.get("rate"), body.get("complete")) != (switches, rate, False):
        return []
    rows: list[Row] = body["rows"]
    return [] if any(row["account"][name] for row in rows for name in MUST_BE_0) else rows


def in_a_row(name: str, count: int, rate: float, before: list[Row], wanted: int) -> list[Row]:
    """Switches on one pair of servers, told after each leg; all rows so far."""
    legs: list[tuple[Clients, list[Turn], int]] = []
    rows = before
    with ALL[name]() as design:
        began = time.monotonic()
        while (done := sum(len(turns) for _, turns, _ in legs)) < count:
            legs.append(leg(design, min(LEG, count - done), rate, len(legs)))
            rows = [*before, row_of(name, design, legs, rate, time.monotonic() - began)]
            keep_rows(rows, wanted, rate)
    return rows


def leg(design: Design, count: int, rate: float, number: int) -> tuple[Clients, list[Turn], int]:
    turns: list[Turn] = []
    side = list(design.world.servers).index(design.serving)
    with clients(design.dsn, rate, LEG_NUMBERS * number) as load:
        time.sleep(WARM_UP_S)
        for _ in range(count):
            time.sleep(BETWEEN_S)
            turns.append(design.turn())
        time.sleep(WARM_UP_S / 2)
    return load, turns, side


def row_of(
    name: str, design: Design, legs: list[tuple[Clients, list[Turn], int]], rate: float,
    took_s: float,
) -> Row:  # fmt: skip
    names = [server.settings["cluster_name"] for server in design.world.servers.values()]
    found = [
        figures(load, turns, names if side == 0 else names[::-1]) for load, turns, side in legs
    ]
    every = [turn for _, turns, _ in legs for turn in turns]
    longest = sorted(ms for each in found for ms in each["longest"])
    told = asdict(account(design.world, design.serving, [load for load, _, _ in legs]))
    return {
        "design": name,
        "rate": rate,
        "switches": len(every),
        "secondsEach": round(took_s / len(every), 2),
        "load": round(os.getloadavg()[0], 2),
        "longestMs": {
            "median": longest[len(longest) // 2],
            "p99": longest[int(0.99 * (len(longest) - 1))],
            "max": longest[-1],
        },
        "gaveUp": sum(turn.gave_up for turn in every),
        "account": told | {"lateWrites": sum(each["lateWrites"] for each in found)},
    }


def keep_rows(rows: list[Row], wanted: int, rate: float) -> None:
    done = sum(row["switches"] for row in rows)
    complete = done >= wanted // 2 * 2
    keep(NAME, {
        "unit": "ms", "wanted": wanted, "rate": rate, "switches": done, "complete": complete,
        "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()

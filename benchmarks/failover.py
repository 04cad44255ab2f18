"""A dead active server with every agent at work: how long nobody can write, and what is lost.

    .venv/bin/python -m benchmarks.failover --rounds 4

Policy `auto`, under load. A round ends the active server at once, as when its host is switched off,
and waits for the first write that is acknowledged afterwards. Every acknowledged write is then
looked for on the side that serves. The dead server is made a standby again before the next round,
which is the other server's. `healedS`: from its death until it follows again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.bench import keep, reconfigure_monitor, stack, summary
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.environment import Colour
from shared.settings import load
from tests.support.wait import until
from tests.support.writers import TABLES, Writers

WRITERS = 8
PERIOD_S = 0.04
BOUND_S = 10.0
LIMIT_S = 180.0
AT_REST = """
SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')
   AND NOT EXISTS (SELECT FROM bluegreen.failover WHERE healed_at IS NULL)
"""


def one_round(state: Path, doors: dict[str, str], first: int) -> dict[str, Any]:
    dead = poolers_of(load({"BLUEGREEN_STATE_DIR": str(state)})).routed_to()
    control = ControlFiles(Layout(state).supervisor)
    with Writers(doors["app"], WRITERS, first=first, period_s=PERIOD_S) as writers:
        writers.until_acknowledged(100 * WRITERS)
        began = time.monotonic()
        control.want(dead.value, "stopped at once")
        until(lambda: not control.status(dead.value).is_running, limit_s=20, what="it is dead")
        known = len(writers.acknowledged)
        until(lambda: len(writers.acknowledged) > known, limit_s=LIMIT_S, what="a write")
        writable_s = time.monotonic() - began
        writers.until_acknowledged(20 * WRITERS)
    serving = doors[dead.other.value]
    with psycopg.connect(serving) as connection:
        rows = connection.execute("SELECT writer, n FROM journal WHERE n > %s", (first,)).fetchall()
    until(lambda: at_rest(serving), limit_s=LIMIT_S, what=f"{dead} is a standby again")
    return {
        "dead": dead.value,
        "writableS": round(writable_s, 2),
        "healedS": round(time.monotonic() - began, 1),
        "acknowledged": len(writers.acknowledged),
        "lost": len(writers.acknowledged - set(rows)),
        "failed": len(writers.failed),
    }


def at_rest(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(AT_REST).fetchone()
    return bool(row and row[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    words = parser.parse_args()
    with stack() as (state, doors):
        reconfigure_monitor(state, {"failover": {"policy": "auto"}})
        with psycopg.connect(doors["app"], autocommit=True) as app:
            app.execute(TABLES)
        serving = doors[Colour.BLUE.value]
        until(lambda: at_rest(serving), limit_s=LIMIT_S, what="a standby that streams")
        rounds = [one_round(state, doors, number * 1_000_000) for number in range(words.rounds)]
    result = {
        "writers": WRITERS,
        "boundS": BOUND_S,
        "writableS": summary([each["writableS"] for each in rounds]),
        "lost": sum(each["lost"] for each in rounds),
        "rounds": rounds,
        "loadAverage": os.getloadavg(),
    }
    keep("failover", result)
    return 0 if result["lost"] == 0 and max(each["writableS"] for each in rounds) < BOUND_S else 1


if __name__ == "__main__":
    sys.exit(main())

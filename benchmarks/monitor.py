"""What the monitor costs, and whether it stays calm: `soak` (minutes under load) and `cost`.

    .venv/bin/python -m benchmarks.monitor soak --minutes 30
    .venv/bin/python -m benchmarks.monitor cost --rounds 10

`soak` counts every alert that was raised although nothing was wrong, and the processor time of the
health-monitor's process. `cost` freezes that process in every other slice of one run, and compares
the processor time of the whole stack at rest and the throughput of a saturated door.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from benchmarks.bench import bluegreen, keep, quantile, stack
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout

CLIENTS = 8
SOAK_PER_S = 400
SETTLE_S = 20.0
"""Five looks of the monitor: what the start of the stack set off has been told and taken back."""
REST_ROUNDS = 4
CORES = os.cpu_count() or 1
TICKS = os.sysconf("SC_CLK_TCK")
ROWS = 10_000
SETUP = """
CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
INSERT INTO account SELECT n FROM generate_series(0, 9999) AS n ON CONFLICT DO NOTHING
"""


@contextmanager
def load(dsn: str, *, per_s: float | None) -> Iterator[list[int]]:
    """Clients that update rows; `per_s` in all, or as many as they can. Yields counts by client."""
    over, counts = threading.Event(), [0] * CLIENTS

    def work(number: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            n = number
            while not over.is_set():
                began = time.monotonic()
                n = (n + CLIENTS) % ROWS  # never a row of another client's
                connection.execute("UPDATE account SET balance = balance + 1 WHERE id = %s", (n,))
                counts[number] += 1
                if per_s is not None:
                    over.wait(max(0.0, CLIENTS / per_s - (time.monotonic() - began)))

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def cpu_s(pid: int) -> float:
    """User and system time of all threads of a process, its ended children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def tree_cpu_s(pid: int) -> float:
    """The same of a process and of everything below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return cpu_s(pid) + sum(tree_cpu_s(int(child)) for child in below)
    except FileNotFoundError:
        return 0.0  # it has ended: its parent counts it from now on


def monitor_pid(state: Path) -> int:
    pid = ControlFiles(Layout(state).supervisor).status("health-monitor").pid
    assert pid is not None
    return pid


def supervisor_pid(state: Path) -> int:
    pid = ControlFiles(Layout(state).supervisor).supervisor().pid
    assert pid is not None
    return pid


def soak(minutes: float) -> dict[str, Any]:
    with stack() as (state, doors):
        with psycopg.connect(doors["app"], autocommit=True) as app:
            app.execute(SETUP)
        with load(doors["app"], per_s=SOAK_PER_S):  # accepts the schema that was made by hand
            bluegreen(state, "baseline", "update", "--seconds", "3")
        time.sleep(SETTLE_S)
        events = redis.Redis.from_url(doors["redis"], decode_responses=True)
        key = "bluegreen:events"
        newest = events.xrevrange(key, count=1)
        after = newest[0][0] if newest else "0-0"
        pid, began, cpu = monitor_pid(state), time.monotonic(), cpu_s(monitor_pid(state))
        with load(doors["app"], per_s=SOAK_PER_S) as counts:
            time.sleep(minutes * 60)
            seconds = time.monotonic() - began
            used = cpu_s(pid) - cpu
        told = [fields["event"] for _, fields in events.xrange(key, min=f"({after}")]
        changes = [
            event for event in told if '"AlertRaised"' in event or '"HealthChanged"' in event
        ]
        health = bluegreen(state, "health", check=False)
        with psycopg.connect(doors["control"]) as control:
            looks = control.execute("SELECT count(*) FROM bluegreen_control.traffic").fetchone()
        return {
            "minutes": minutes,
            "transactionsPerSecond": round(sum(counts) / seconds, 1),
            "flaps": len(changes),
            "flapsWere": changes[:10],
            "looks": looks[0] if looks else 0,
            "monitorCpuShareOfACore": round(used / seconds, 4),
            "healthyAtTheEnd": health.get("healthy"),
            "loadAverage": os.getloadavg(),
        }


def cost(rounds: int, slice_s: float) -> dict[str, Any]:
    """What the monitor takes: of the processors at rest, and of the throughput of a saturated door.

    In every other slice its process is frozen; a pair of slices gives a difference, or a ratio. At
    rest the processor time of the whole stack is compared, so that what agents, Redis and servers
    do for the monitor counts too. Commits wait for no disk: the processors are what is short.
    """
    with stack() as (state, doors):
        with psycopg.connect(doors["blue"], autocommit=True) as blue:
            blue.execute("ALTER DATABASE app SET synchronous_commit = off")
        with psycopg.connect(doors["app"], autocommit=True) as app:
            app.execute(SETUP)
        pid, root = monitor_pid(state), supervisor_pid(state)
        time.sleep(SETTLE_S)
        taken: list[float] = []
        own: list[float] = []
        for with_it, without in pairs(
            pid, REST_ROUNDS, slice_s, lambda: (tree_cpu_s(root), cpu_s(pid))
        ):
            taken.append((with_it[0] - without[0]) / CORES)
            own.append(with_it[1])
        with load(doors["app"], per_s=None) as counts:
            time.sleep(SETTLE_S / 2)
            found = pairs(pid, rounds, slice_s, lambda: (sum(counts), cpu_s(pid)))
            ratios = sorted(with_it[0] / without[0] for with_it, without in found)
        return {
            "rounds": rounds,
            "sliceS": slice_s,
            "monitorCpuShareOfACore": round(statistics.median(own), 4),
            "shareOfAllProcessors": round(statistics.median(taken), 4),
            "throughputRatio": round(statistics.median(ratios), 4),
            "middleHalf": [round(quantile(ratios, share), 4) for share in (0.25, 0.75)],
            "ratios": [round(ratio, 4) for ratio in ratios],
            "loadAverage": os.getloadavg(),
        }


Rates = tuple[float, ...]


def pairs(
    pid: int, rounds: int, slice_s: float, read: Callable[[], Rates]
) -> list[tuple[Rates, Rates]]:
    """How fast what is read grows a second, with that process and while it is frozen, in pairs."""
    found = []
    try:
        for number in range(rounds):
            rates: dict[bool, Rates] = {}
            for is_at_work in (True, False) if number % 2 else (False, True):
                os.kill(pid, signal.SIGCONT if is_at_work else signal.SIGSTOP)
                before, began = read(), time.monotonic()
                time.sleep(slice_s)
                after, seconds = read(), time.monotonic() - began
                grew = zip(before, after, strict=True)
                rates[is_at_work] = tuple((last - first) / seconds for first, last in grew)
            found.append((rates[True], rates[False]))
    finally:
        os.kill(pid, signal.SIGCONT)  # never left frozen, whatever ended the measuring
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("soak", "cost"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--slice", type=float, default=8)
    words = parser.parse_args()
    if words.what == "soak":
        result = soak(words.minutes)
        keep("soak-monitor", result)
        return 0 if result["flaps"] == 0 else 1
    keep("monitor-cost", cost(words.rounds, words.slice))
    return 0


if __name__ == "__main__":
    sys.exit(main())

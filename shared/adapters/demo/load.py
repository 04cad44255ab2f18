"""The demo's clients: 16 connections, 400 transactions a second, no retry, a journal of each.

Runs as a process of its own (`python -m shared.adapters.demo.load`), so that nothing else in
the demo disturbs its clocks. Open loop: a client that was held starts its next transactions at
once. One journal line per transaction: start, milliseconds, client, seq, kind, product, error.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from psycopg import AsyncConnection, Error

from shared.adapters.demo.transactions import DEEDS, LEDGER, WEIGHTS, Deed

RECONNECT_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    dsn: str
    clients: int
    rate: float
    """Transactions a second, all clients together."""
    seed: int


async def one_transaction(
    connection: AsyncConnection[Any], client: int, seq: int, pick: random.Random
) -> Deed:
    deed = pick.choices(DEEDS, WEIGHTS)[0]
    async with connection.transaction():
        await connection.execute(LEDGER, (client, seq))
        return await deed(connection, client, pick)


async def run_client(plan: Plan, client: int, journal: TextIO, stop: asyncio.Event) -> None:
    pick = random.Random(plan.seed * 1000 + client)
    connection = await AsyncConnection.connect(plan.dsn, autocommit=True)
    gap = plan.clients / plan.rate
    due = time.monotonic() + pick.random() * gap
    seq = 0
    while not stop.is_set():
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += gap
        seq += 1
        began, clock, deed, error = time.time(), time.perf_counter(), Deed("?"), ""
        try:
            deed = await one_transaction(connection, client, seq, pick)
        except Error as problem:
            error = str(problem).replace("\n", " ").replace("\t", " ") or type(problem).__name__
        took_ms = (time.perf_counter() - clock) * 1000
        journal.write(
            f"{began:.6f}\t{took_ms:.3f}\t{client}\t{seq}\t{deed.kind}\t{deed.product}\t{error}\n"
        )
        if connection.broken or connection.closed:
            connection = await asyncio.wait_for(
                AsyncConnection.connect(plan.dsn, autocommit=True), RECONNECT_LIMIT_S
            )
    await connection.close()


async def run(plan: Plan, journal: TextIO) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with asyncio.TaskGroup() as group:
        for client in range(plan.clients):
            group.create_task(run_client(plan, client, journal, stop))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn-file", type=Path, required=True, help="file that holds the DSN")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rate", type=float, default=400.0)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    dsn = wanted.dsn_file.read_text(encoding="utf-8").strip()
    with wanted.journal.open("w", encoding="utf-8", buffering=1 << 16) as journal:
        asyncio.run(run(Plan(dsn, wanted.clients, wanted.rate, wanted.seed), journal))


if __name__ == "__main__":
    main()

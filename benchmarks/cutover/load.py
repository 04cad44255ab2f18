"""Clients of a bench: 16 connections, a fixed number of transactions a second, no retry.

A process of its own (`python -m benchmarks.cutover.load DSN RATE FIRST`). Open loop: a client that
was held starts what is due at once. Each transaction inserts a row of its own number and adds one
to a counter and to an account. It says on which server it ran; SIGTERM ends it, and then one JSON
line with all transactions goes to its output: [begin on the monotonic clock, milliseconds, client,
number, server or null where it failed].
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import time
from typing import Any

from psycopg import AsyncConnection, Error

CLIENTS = 16
WRITE = "INSERT INTO entry (client, n) VALUES (%s, %s) RETURNING current_setting('cluster_name')"
COUNT = "UPDATE counter SET n = n + 1 WHERE id = %s"
CREDIT = "UPDATE account SET balance = balance + 1 WHERE id = %s"
RECONNECT_LIMIT_S = 5.0
Told = tuple[float, float, int, int, str | None]


async def transact(connection: AsyncConnection[Any], client: int, n: int, account: int) -> str:
    async with connection.transaction():
        cursor = await connection.execute(WRITE, (client, n))
        row = await cursor.fetchone()
        await connection.execute(COUNT, (client,))
        await connection.execute(CREDIT, (account,))
    assert row is not None
    return str(row[0])


async def connected(dsn: str) -> AsyncConnection[Any] | None:
    try:
        return await asyncio.wait_for(
            AsyncConnection.connect(dsn, autocommit=True), RECONNECT_LIMIT_S
        )
    except (Error, TimeoutError):
        return None


async def work(
    dsn: str, rate: float, client: int, first: int, told: list[Told], stop: asyncio.Event
) -> None:
    pick = random.Random(client)
    gap = CLIENTS / rate
    due = time.monotonic() + pick.random() * gap
    connection = await connected(dsn)
    n = first
    while not stop.is_set():
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += gap
        n += 1
        began, server = time.monotonic(), None
        try:
            connection = connection or await connected(dsn)
            if connection is not None:
                server = await transact(connection, client, n, 1 + pick.randrange(1000))
        except Error:
            if connection is not None and (connection.broken or connection.closed):
                connection = None
        told.append((began, (time.monotonic() - began) * 1000, client, n, server))
    if connection is not None:
        await connection.close()


async def run(dsn: str, rate: float, first: int) -> list[Told]:
    told: list[Told] = []
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        for client in range(CLIENTS):
            group.create_task(work(dsn, rate, client, first, told, stop))
    return told


def main() -> None:
    dsn, rate, first = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    json.dump(asyncio.run(run(dsn, rate, first)), sys.stdout)


if __name__ == "__main__":
    main()

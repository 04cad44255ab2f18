"""Where the designs meet: two servers in sync, a pooler before them, clients, and the account.

The same pair and pooler as the integration tests use (tests/support/cutover_world.py), with fsync
on. A file that changes the schema is a rename and a dropped column's default, as in those tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.cutover.load import CLIENTS, Told
from shared.domain.environment import Colour
from tests.support.cutover_world import World

LOAD_END_LIMIT_S = 30
TABLES = f"""
CREATE TABLE entry (client int, n int, PRIMARY KEY (client, n));
CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL);
INSERT INTO counter SELECT id, 0 FROM generate_series(0, {CLIENTS - 1}) AS id;
INSERT INTO account (name) SELECT 'account ' || n FROM generate_series(101, 20000) AS n;
ALTER TABLE entry OWNER TO app; ALTER TABLE counter OWNER TO app;
"""


@dataclass
class Clients:
    """What the load process did, complete once it has ended."""

    told: list[Told] = field(default_factory=list)

    def failed(self) -> int:
        return sum(server is None for *_, server in self.told)

    def acknowledged(self) -> set[tuple[int, int]]:
        return {(client, n) for _, _, client, n, server in self.told if server is not None}


@contextmanager
def clients(dsn: str, rate: float, first: int) -> Iterator[Clients]:
    found = Clients()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.cutover.load", dsn, str(rate), str(first)],
        stdout=subprocess.PIPE,
    )
    try:
        yield found
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=LOAD_END_LIMIT_S)
    found.told = [tuple(each) for each in json.loads(said)]  # type: ignore[misc]


@dataclass(frozen=True)
class Account:
    """What the side that serves holds, against what clients were told."""

    acknowledged: int
    failed: int
    lost: int
    unexpected: int
    """Rows that nobody was told of: transactions in doubt when their connection was cut."""
    doubled: int
    """By how much the counters stand above the number of rows."""
    wrongly_counted: int
    """Increments that a write on the other side overwrote."""


def account(world: World, serving: Colour, every: Sequence[Clients]) -> Account:
    acknowledged = set().union(*(each.acknowledged() for each in every))
    with world.admin(serving) as admin:
        rows = set(admin.execute("SELECT client, n FROM entry").fetchall())
        counted = int(world.value(serving, "SELECT sum(n) FROM counter"))  # type: ignore[call-overload]
    return Account(
        acknowledged=len(acknowledged),
        failed=sum(each.failed() for each in every),
        lost=len(acknowledged - rows),
        unexpected=len(rows - acknowledged),
        doubled=max(0, counted - len(rows)),
        wrongly_counted=max(0, len(rows) - counted),
    )

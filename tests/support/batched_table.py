"""A table whose rows a file changes in batches, and what tells that each was changed once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.pair import Pair
from tests.support.sides import BLUE

ROWS = 5000
BATCH = "-- bluegreen: batch table=t key=id size=300\n"
ONCE_MORE = f"{BATCH}UPDATE t SET v = v + 1 WHERE id % 2 = 0;"
CHANGED = "SELECT count(*) FROM t WHERE v = 1 AND id % 2 = 0"
WRONG = "SELECT count(*) FROM t WHERE v <> CASE WHEN id % 2 = 0 THEN 1 ELSE 0 END"


@contextmanager
def batched_table(servers: Pair) -> Iterator[None]:
    """The table `t` of the application on blue while the body runs; the standing notes, too."""
    servers.run(BLUE, "CREATE TABLE t (id int PRIMARY KEY, v int DEFAULT 0, w int)", user="app")
    rows = f"INSERT INTO t SELECT g * 3 FROM generate_series(1, {ROWS}) AS g"
    servers.run(BLUE, rows, user="app")
    servers.run(BLUE, "ANALYZE t")
    yield
    servers.run(BLUE, "DROP TABLE t; DELETE FROM bluegreen.applied")

"""Seconds from the standby to a writable green, at several sizes: flat is the promise.

Usage: python -m benchmarks.fork [MEGABYTES ...]    (300 and 2000 unless given)

Beside it, of the same rows in the same run: how long a logical subscriber's initial copy takes, and
`pg_dump | pg_restore`; and how long a risky job takes until only its approval is missing, with
every row compared. The rows are frozen and everything is on disk before the first fork: what a
fork takes then depends on the WAL since the last checkpoint, not on what an autovacuum happens to
write. Every server has written as much WAL as the largest, by rows that are gone again: a promotion
puts the old timeline's segments away, and a server at work has its `max_wal_size` of them at any
size.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench import bluegreen, held_job, keep, stack, summary, until

RUNS = 7
LIMIT_S = 900
ROW = "repeat(md5(g::text), 30)"
ROWS_PER_MB = 950
COPIED = "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"


def psql(dsn: str, *statements: str) -> str:
    """Run them one by one; what the last one printed."""
    said = ""
    for statement in statements:
        command = ["psql", dsn, "-qAtc", statement]
        said = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=LIMIT_S
        ).stdout
    return said.strip()


def fill(dsn: str, megabytes: int, written: int) -> None:
    """`written`: megabytes of rows that were written in all, those that stay among them."""
    gone = (written - megabytes) * ROWS_PER_MB
    psql(
        dsn,
        f"CREATE TABLE gone AS SELECT g AS id, {ROW} AS filler FROM generate_series(1, {gone}) g",
        "DROP TABLE gone",
        "CREATE TABLE ballast (id bigint PRIMARY KEY, filler text)",
        f"INSERT INTO ballast SELECT g, {ROW} FROM generate_series(1, {megabytes * ROWS_PER_MB}) g",
        "CREATE TABLE pets (id bigint PRIMARY KEY, name text, chip text)",
        "VACUUM (FREEZE, ANALYZE) ballast",
        "CHECKPOINT",
    )


def forks(state: Path, runs: int) -> tuple[list[float], list[float]]:
    """Seconds to a writable green, and until the job waits for nothing but its approval."""
    writable: list[float] = []
    ready: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(runs):
            file = Path(folder) / f"{turn:03}.sql"
            file.write_text(f"ALTER TABLE pets RENAME COLUMN name TO name_{turn};\n")
            began = time.monotonic()
            job = held_job(state, file, limit_s=LIMIT_S)
            ready.append(time.monotonic() - began)
            writable.append(bluegreen(state, "report", job)["secondsToWritableGreen"])
            bluegreen(state, "abort", job, "--yes", check=False)
    return writable, ready


def native_copy(doors: dict[str, str]) -> float:
    """A subscription of the same table in an empty database of the third server."""
    psql(doors["control"], "CREATE DATABASE bench_copy")
    target = doors["control"].rpartition("/")[0] + "/bench_copy"
    psql(doors["blue"], "CREATE PUBLICATION bench FOR TABLE ballast")
    psql(target, "CREATE TABLE ballast (id bigint PRIMARY KEY, filler text)")
    began = time.monotonic()
    psql(target, f"CREATE SUBSCRIPTION bench CONNECTION '{doors['blue']}' PUBLICATION bench")
    until(lambda: psql(target, COPIED) == "t", what="the initial copy is done", limit_s=LIMIT_S)
    took = time.monotonic() - began
    psql(target, "DROP SUBSCRIPTION bench")
    psql(doors["blue"], "DROP PUBLICATION bench")
    psql(doors["control"], "DROP DATABASE bench_copy WITH (FORCE)")
    return took


def dump_and_restore(doors: dict[str, str]) -> float:
    """`pg_dump | pg_restore` of the same table into an empty database of the third server."""
    psql(doors["control"], "CREATE DATABASE bench_dump")
    target = doors["control"].rpartition("/")[0] + "/bench_dump"
    began = time.monotonic()
    dump = ["pg_dump", "--format=custom", "--compress=0", "--table=ballast", "--no-owner"]
    with subprocess.Popen([*dump, doors["blue"]], stdout=subprocess.PIPE) as source:
        restore = ["pg_restore", "--no-owner", "--no-privileges", "--dbname", target]
        subprocess.run(restore, stdin=source.stdout, check=True, timeout=LIMIT_S)
    if source.returncode:
        raise SystemExit(f"pg_dump ended with {source.returncode}: half a dump was restored")
    took = time.monotonic() - began
    psql(doors["control"], "DROP DATABASE bench_dump WITH (FORCE)")
    return took


def one_size(megabytes: int, written: int) -> dict[str, Any]:
    with stack() as (state, doors):
        fill(doors["blue"], megabytes, written)
        copied, restored = native_copy(doors), dump_and_restore(doors)
        writable, ready = forks(state, RUNS)
    return {
        "fork": summary(writable),
        "readyToCutOver": summary(ready),
        "nativeCopy": round(copied, 2),
        "dumpAndRestore": round(restored, 2),
    }


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [300, 2000]
    figures = {f"{size} MB": one_size(size, max(sizes)) for size in sizes}
    medians = [figure["fork"]["median"] for figure in figures.values()]
    keep("fork", {"unit": "s", **figures, "ratio": round(max(medians) / medians[0], 2)})


if __name__ == "__main__":
    main()

"""Seconds from the standby to a writable green, at two sizes: flat is the promise.

Usage: python -m benchmarks.fork [SMALL_MB LARGE_MB]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench import bluegreen, keep, stack, summary

RUNS = 5
LIMIT_S = 600
ROW = "repeat(md5(g::text), 30)"
ROWS_PER_MB = 950


def fill(dsn: str, megabytes: int) -> None:
    statements = (
        "CREATE TABLE ballast (id bigint PRIMARY KEY, filler text); "
        f"INSERT INTO ballast SELECT g, {ROW} FROM generate_series(1, {megabytes * ROWS_PER_MB}) g;"
        "CREATE TABLE pets (id bigint PRIMARY KEY, name text, chip text); CHECKPOINT"
    )
    for statement in statements.split(";"):
        subprocess.run(["psql", dsn, "-qc", statement], check=True)


def one_size(megabytes: int) -> list[float]:
    found: list[float] = []
    with stack() as (state, doors), tempfile.TemporaryDirectory() as folder:
        fill(doors["blue"], megabytes)
        for turn in range(RUNS):
            file = Path(folder) / f"{turn:03}.sql"
            file.write_text(f"ALTER TABLE pets RENAME COLUMN name TO name_{turn};\n")
            job = bluegreen(state, "run", str(file), "--yes", "--hold", "--detach")["job"]
            deadline = time.monotonic() + LIMIT_S
            while bluegreen(state, "status", job)["step"] != "hold_for_approval":
                if time.monotonic() > deadline:
                    raise SystemExit(f"job {job} did not get to its hold in {LIMIT_S} s")
                time.sleep(1)
            found.append(bluegreen(state, "report", job)["secondsToWritableGreen"])
            bluegreen(state, "abort", job, "--yes", check=False)
    return found


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:3]] or [300, 2000]
    figures = {f"{size} MB": summary(one_size(size)) for size in sizes}
    medians = [figure["median"] for figure in figures.values()]
    keep("fork", {"unit": "s", **figures, "ratio": round(medians[-1] / medians[0], 2)})


if __name__ == "__main__":
    main()

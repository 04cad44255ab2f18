"""A safe one-statement migration through all agents, against `psql -f` of the same statement.

`over` is what the steps take beyond psql, without the two of the rollback point, which stand
beside it: `overWithPoint` has them too. `wholeRun` is what a person waits for: a process of the
client from its start to its end, with everything between.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.bench import bluegreen, keep, stack, summary

RUNS = 10
POINT = ("take_rollback_point", "verify_rollback_point")


def timed(work: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(work, capture_output=True, check=True)
    return (time.monotonic() - began) * 1000


def main() -> None:
    found: dict[str, list[float]] = {
        name: [] for name in ("psql", "over", "overWithPoint", "wholeRun")
    }
    steps: dict[str, list[float]] = {}
    with stack() as (state, doors), tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["psql", doors["direct"], "-qc", "CREATE TABLE users (id bigint PRIMARY KEY)"],
            check=True,
        )
        for turn in range(RUNS):
            psql = timed(["psql", doors["direct"], "-qf", file_of(Path(folder), turn, "theirs")])
            began = time.monotonic()
            job = bluegreen(state, "run", file_of(Path(folder), turn, "ours"))["job"]
            found["wholeRun"].append((time.monotonic() - began) * 1000)
            took = {
                step["name"]: 1000 * step["seconds"]
                for step in bluegreen(state, "report", job)["steps"]
            }
            for name, ms in took.items():
                steps.setdefault(name, []).append(ms)
            found["psql"].append(psql)
            found["overWithPoint"].append(sum(took.values()) - psql)
            found["over"].append(sum(ms for name, ms in took.items() if name not in POINT) - psql)
    keep("safe", {"unit": "ms", "bound": 300, **summaries(found), "steps": summaries(steps)})


def summaries(found: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {name: summary(values) for name, values in found.items()}


def file_of(folder: Path, turn: int, whose: str) -> str:
    file = folder / f"{turn:03}_{whose}.sql"
    file.write_text(f"ALTER TABLE users ADD COLUMN {whose}_{turn} int;\n")
    return str(file)


if __name__ == "__main__":
    main()

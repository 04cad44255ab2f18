"""A safe one-statement migration through all agents, against `psql -f` of the same statement.

`over` is what the steps take beyond psql, without the two of the rollback point, which stand
beside it: `overWithPoint` has them too. `wholeRun` is what a person waits for: a process of the
client from its start to its end, with everything between. `busy` is about the application: its
longest wait from the beginning of such a run to its end, while the demo's shop uses the table, and
in a stretch without one before each.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.bench import bluegreen, keep, stack, summary
from benchmarks.cutover.applications import longest_ms, shop

RUNS = 10
RATE = 400.0
CALM_S = 3.0
"""Length of the stretch before each run that its longest wait is compared with; as long again
before it, so that what the run before set off has passed."""
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
    result = {**summaries(found), "steps": summaries(steps), "busy": busy()}
    keep("safe", {"unit": "ms", "bound": 300, "rate": RATE, **result})


def busy() -> dict[str, object]:
    spans: list[tuple[float, float]] = []
    with stack() as (state, doors), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with shop(doors, folder, RATE) as record:
            for turn in range(RUNS):
                time.sleep(2 * CALM_S)
                began = time.monotonic()
                bluegreen(state, "run", file_of(folder, turn, "ours", "customers"))
                spans.append((began, time.monotonic()))
            time.sleep(CALM_S)
    calm = [longest_ms(record.waits, began - CALM_S, began) for began, _ in spans]
    longest = [longest_ms(record.waits, *span) for span in spans]
    return {"longestMs": summary(longest), "floorMs": summary(calm), "account": record.account}


def summaries(found: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {name: summary(values) for name, values in found.items()}


def file_of(folder: Path, turn: int, whose: str, table: str = "users") -> str:
    file = folder / f"{turn:03}_{whose}.sql"
    file.write_text(f"ALTER TABLE {table} ADD COLUMN {whose}_{turn} int;\n")
    return str(file)


if __name__ == "__main__":
    main()

"""A safe one-statement migration through all agents, against `psql -f` of the same statement."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.bench import bluegreen, keep, stack, summary

RUNS = 10


def timed(work: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(work, capture_output=True, check=True)
    return (time.monotonic() - began) * 1000


def main() -> None:
    ours: list[float] = []
    psql: list[float] = []
    steps: dict[str, list[float]] = {}
    with stack() as (state, doors), tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["psql", doors["direct"], "-qc", "CREATE TABLE users (id bigint PRIMARY KEY)"],
            check=True,
        )
        for turn in range(RUNS):
            for name, samples in (("theirs", psql), ("ours", ours)):
                file = Path(folder) / f"{turn:03}_{name}.sql"
                file.write_text(f"ALTER TABLE users ADD COLUMN {name}_{turn} int;\n")
                if name == "theirs":
                    samples.append(timed(["psql", doors["direct"], "-qf", str(file)]))
                    continue
                job = bluegreen(state, "run", str(file), "--detach")["job"]
                bluegreen(state, "watch", job)
                report = bluegreen(state, "report", job)
                samples.append(1000 * sum(step["seconds"] for step in report["steps"]))
                for step in report["steps"]:
                    steps.setdefault(step["name"], []).append(1000 * step["seconds"])
    over = [mine - other for mine, other in zip(ours, psql, strict=True)]
    keep("safe", {"unit": "ms", "bluegreen": summary(ours), "psql": summary(psql),
                  "over": summary(over), "bound": 300,
                  "steps": {name: summary(found) for name, found in steps.items()}})  # fmt: skip


if __name__ == "__main__":
    main()

"""What the end of a rollback window costs an application: `finish`, and the standby made behind it.

Usage: python -m benchmarks.finish [ROUNDS [RATE]]    (10 and 400 unless given)

Each round is two whole risky jobs of one file on a stack with every agent at work. The first is
taken back and abandoned, the second finished, so that the next round goes in the other direction.
The file retypes what every client reads and writes: a landing column has to go at its end. Measured
is the longest wait of any transaction under way:

`finish`     from the start of the step until a second behind its end
`standby`    from there until a second behind the end of `restore_standby`
`abandon`    from a second behind the switch back until a second behind the end of the job: what the
             file left is taken away, and green is made the standby again
`floor`      for a stretch of `FLOOR_S` in the open window, with nothing going on
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.bench import bluegreen, keep, stack, until
from benchmarks.cutover.applications import Application, Waits, five_statements, longest_ms, shop
from benchmarks.cutover.figures import spread
from shared.adapters.control.store import PostgresControlStore, control_store
from shared.adapters.demo.waits import AFTER_S, Stretch, end_of_window
from shared.domain.kinds import Outcome
from shared.ports import JobRecord
from shared.saga.recipes import WINDOW
from shared.settings import load

ROUNDS, RATE = 10, 400.0
LOOK: dict[str, float] = {"limit_s": 300, "look_s": 0.3}
CALM_S = 3.0
"""Behind a cutover the pool has its width again by then, and behind the end of a job whatever was
held up is through and in the clients' own record."""
FLOOR_S = 4.0
"""About as long as `finish` and what follows take: a longer stretch has a longer longest wait."""
FILES: dict[Application, tuple[str, str]] = {
    five_statements: (
        "ALTER TABLE counter ALTER COLUMN n TYPE numeric(20);\n"
        "ALTER TABLE account ADD COLUMN currency text NOT NULL DEFAULT 'EUR';\n",
        "ALTER TABLE counter ALTER COLUMN n TYPE bigint;\n"
        "ALTER TABLE account DROP COLUMN currency;\n",
    ),
    shop: (
        "ALTER TABLE products ALTER COLUMN price TYPE bigint;\n"
        "ALTER TABLE stock ALTER COLUMN units TYPE numeric(20);\n",
        "ALTER TABLE products ALTER COLUMN price TYPE integer;\n"
        "ALTER TABLE stock ALTER COLUMN units TYPE bigint;\n",
    ),
}


What = tuple[str, Stretch]
"""What went on, and when, as Unix time."""


def to_window(state: Path, file: Path) -> str:
    words = ("--type", "risky", "--yes", "--detach", "--accept-broken-statements")
    job: str = bluegreen(state, "run", str(file), *words)["job"]
    store = _store(state)
    until(lambda: _is_in(store.job(job), WINDOW), what=f"{job} is in its window", **LOOK)
    return job


def _is_in(job: JobRecord, step: str) -> bool:
    if job.outcome is not None:
        raise SystemExit(f"job {job.id} ended before its {step}: {job.sentence}")
    return job.step == step


def in_window(state: Path, file: Path) -> tuple[str, What]:
    """A job whose window is open, and a stretch of it in which nothing went on."""
    job = to_window(state, file)
    time.sleep(CALM_S)
    begin = time.time()
    time.sleep(FLOOR_S)
    return job, ("floor", Stretch(begin, time.time()))


def finished(state: Path, file: Path) -> list[What]:
    job, floor = in_window(state, file)
    bluegreen(state, "finish", job)
    store = _store(state)
    until(lambda: store.job(job).outcome is Outcome.COMPLETED, what=f"{job} is over", **LOOK)
    time.sleep(CALM_S)
    stretches = end_of_window(store, job)
    assert stretches is not None
    return [floor, *zip(("finish", "standby"), stretches, strict=True)]


def abandoned(state: Path, file: Path) -> list[What]:
    job, floor = in_window(state, file)
    bluegreen(state, "rollback", job, "--yes")
    store = _store(state)
    until(lambda: store.job(job).outcome is Outcome.ROLLED_BACK, what=f"{job} is over", **LOOK)
    time.sleep(CALM_S)
    back = max(line.at for line in store.history(job) if line.step == "cutover")
    ended = store.job(job).ended_at
    assert ended is not None
    gone_back = Stretch(back.timestamp() + AFTER_S, ended.timestamp() + AFTER_S)
    return [floor, ("abandon", gone_back)]


def _store(state: Path) -> PostgresControlStore:
    """Asked directly: a command line that asks is a process of its own, beside what is measured."""
    return control_store(load({"BLUEGREEN_STATE_DIR": str(state)}))


def measure(application: Application, rounds: int, rate: float) -> dict[str, Any]:
    with stack() as (state, doors), tempfile.TemporaryDirectory() as name:
        found: list[What] = []
        with application(doors, Path(name), rate) as record:
            for number in range(rounds):
                file = Path(name) / f"{number:03}.sql"
                file.write_text(FILES[application][number % 2] + f"-- round {number}\n")
                found += abandoned(state, file)
                found += finished(state, file)
        offset_s = time.time() - time.monotonic()
        return {
            "application": application.__name__.replace("_", " "),
            "account": record.account,
            "longestMs": _longest(found, record.waits, offset_s),
        }


def _longest(found: list[What], waits: Waits, offset_s: float) -> dict[str, Any]:
    each: dict[str, list[float]] = defaultdict(list)
    for what, stretch in found:
        each[what].append(longest_ms(waits, stretch.begin - offset_s, stretch.end - offset_s))
    return {
        what: spread(values) | {"each": [round(ms, 1) for ms in values]}
        for what, values in each.items()
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    rows = [measure(application, rounds, rate) for application in (five_statements, shop)]
    keep("finish", {"unit": "ms", "rate": rate, "rounds": rounds, "rows": rows})


if __name__ == "__main__":
    main()

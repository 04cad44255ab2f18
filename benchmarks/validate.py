"""The validator beside squawk, the fastest linter we know: same file, same machine, in turn.

    python -m benchmarks.validate

Two files of 2,000 statements (benchmarks.validate_files). Each round is a process of its own, of
ours and of squawk's. Held to the bound: the report, after start-up, over all of squawk's process.
Beside it: the report with its text as JSON, and all of our process as the command line runs it.
squawk is taken from the PATH, or installed for the occasion into a directory that is removed.
"""

from __future__ import annotations

import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from benchmarks.bench import keep, summary
from benchmarks.validate_files import STATEMENTS, repeated, rows, varied
from shared.sql.analysis import build
from shared.sql.validate import validate

SQUAWK = "squawk-cli==2.70.0"
FILES, ROUNDS = 463, 25
BOUND, FILES_BOUND_S = 2.0, 1.0
LIMIT_S = 60
Sample = tuple[float, float]
"""(wall, processor), in milliseconds."""


@contextmanager
def squawk() -> Iterator[str | None]:
    """Its program; None when it cannot be had here."""
    if found := shutil.which("squawk"):
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="bluegreen-squawk-") as folder:
        uv = Path(sys.executable).with_name("uv")
        ended = subprocess.run(
            [uv, "pip", "install", "--quiet", "--target", folder, SQUAWK],
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        program = Path(folder, "bin", "squawk")
        yield str(program) if ended.returncode == 0 and program.exists() else None


def child(command: list[str]) -> Sample:
    """The time of one process from its start to its end. The limit is a timer's: a wait that has
    one itself looks ever more seldom, and answers 31.9 or 63.9 ms and nothing between them."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = Timer(LIMIT_S, process.kill)
    limit.start()
    process.wait()
    limit.cancel()
    passed = 1000 * (time.perf_counter() - wall)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return passed, 1000 * used


def one_round(path: Path, program: str | None) -> dict[str, Sample]:
    """Ours, then theirs, on one file."""
    ours = subprocess.run(
        [sys.executable, "-m", "benchmarks.validate_once", str(path)],
        capture_output=True, text=True, check=True, timeout=LIMIT_S,
    )  # fmt: skip
    found = json.loads(ours.stdout)
    samples: dict[str, Sample] = {name: found[name] for name in ("validate", "json", "parse")}
    command = [sys.executable, "-m", "producer", "validate", "--format", "json", str(path)]
    samples["process"] = child(command)
    if program is not None:
        command = [program, "--pg-version=18.0", "--reporter", "json", str(path)]
        samples["squawk"] = child(command)
    return samples


def beside(sql: str, program: str | None) -> dict[str, Any]:
    """The figures of one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "many.sql")
        path.write_text(sql, encoding="utf-8")
        rounds = [one_round(path, program) for _ in range(ROUNDS)]
    figures = {
        name: {
            "wall_ms": summary([each[name][0] for each in rounds]),
            "cpu_ms": summary([each[name][1] for each in rounds]),
        }
        for name in rounds[0]
    }
    return {"bytes": len(sql.encode()), "figures": figures, **_ratios(figures)}


def _ratios(figures: dict[str, Any]) -> dict[str, float]:
    """Ours over theirs, of the best rounds and of the median ones."""
    if "squawk" not in figures:
        return {}
    theirs = figures["squawk"]
    return {
        f"{name}_ratio_{kind}_{which}": round(figures[name][kind][which] / theirs[kind][which], 2)
        for name in ("validate", "json", "process")
        for kind in ("wall_ms", "cpu_ms")
        for which in ("min", "median")
    }


def many_files() -> float:
    """Seconds for as many files as were measured at first, each with its schema known."""
    every = rows()
    chosen = [every[i % len(every)] for i in range(FILES)]
    catalogs = {row["setup"]: build(row["setup"], version=18)[0] for row in chosen}
    started = time.process_time()
    for row in chosen:
        validate(row["sql"], file=row["id"], catalog=catalogs[row["setup"]])
    return time.process_time() - started


def main() -> None:
    with squawk() as program:
        files = {"repeated": beside(repeated(), program), "varied": beside(varied(), program)}
    files_s = many_files()
    keep(
        "validate",
        {
            "python": f"{platform.python_version()} of {platform.python_build()[1]}",
            "statements": STATEMENTS,
            "squawk": SQUAWK if program is not None else "could not be had here",
            **files,
            "bound": BOUND,
            f"{FILES}_files_cpu_s": round(files_s, 3),
            "files_bound_s": FILES_BOUND_S,
        },
    )


if __name__ == "__main__":
    main()

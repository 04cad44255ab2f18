"""The validator beside squawk, the fastest linter we know: same file, same machine, in turn.

    python -m benchmarks.validate

squawk is taken from the PATH, or installed for the occasion into a directory that is removed.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import keep, summary
from shared.sql import grammar
from shared.sql.analysis import build
from shared.sql.parse import read
from shared.sql.validate import validate

CASES = Path(__file__).parent.parent / "tests" / "data" / "validator" / "cases.jsonl"
SQUAWK = "squawk-cli==2.70.0"
STATEMENTS, FILES, ROUNDS = 2000, 463, 25
BOUND, FILES_BOUND_S = 2.0, 1.0


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


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def many_statements() -> str:
    """One file of the cases' statements, over and over."""
    texts = [s.text for row in rows() for s in read(row["sql"]).statements]
    return ";\n".join(texts[i % len(texts)] for i in range(STATEMENTS)) + ";\n"


def ms(act: Callable[[], object]) -> tuple[float, float]:
    """(wall, processor) of one call in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def child_ms(command: list[str]) -> tuple[float, float]:
    """(wall, processor) of one process from its start to its end."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * (time.perf_counter() - wall), 1000 * used


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
    sql = many_statements()
    with tempfile.TemporaryDirectory() as folder, squawk() as program:
        path = Path(folder, "many.sql")
        path.write_text(sql, encoding="utf-8")
        command = [program or "", "--pg-version=18.0", "--reporter", "json", str(path)]
        found: dict[str, list[tuple[float, float]]] = {"validate": [], "parse": [], "squawk": []}
        for _ in range(ROUNDS):
            found["validate"].append(ms(lambda: validate(sql, file="many.sql")))
            found["parse"].append(ms(lambda: grammar.parse(sql.encode())))
            if program is not None:
                found["squawk"].append(child_ms(command))
    figures = {
        name: {"wall_ms": summary([w for w, _ in s]), "cpu_ms": summary([c for _, c in s])}
        for name, s in found.items()
        if s
    }
    files_s = many_files()
    keep(
        "validate",
        {
            "statements": STATEMENTS,
            "bytes": len(sql.encode()),
            "squawk": SQUAWK if found["squawk"] else "could not be had here",
            "figures": figures,
            **_ratios(figures),
            "bound": BOUND,
            f"{FILES}_files_cpu_s": round(files_s, 3),
            "files_bound_s": FILES_BOUND_S,
        },
    )


def _ratios(figures: dict[str, Any]) -> dict[str, float]:
    """Ours over theirs, of the best rounds and of the median ones."""
    if "squawk" not in figures:
        return {}
    ours, theirs = figures["validate"], figures["squawk"]
    return {
        f"ratio_{kind}_{which}": round(ours[kind][which] / theirs[kind][which], 2)
        for kind in ("wall_ms", "cpu_ms")
        for which in ("min", "median")
    }


if __name__ == "__main__":
    main()

"""Process time of `bluegreen --help` and of `bluegreen validate` on one file, against Python's."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import keep, summary

RUNS = 15
FILE = "ALTER TABLE users ADD COLUMN preferences jsonb DEFAULT '{}';\n"


def cpu_ms(command: list[str]) -> float:
    """User and system time of one finished process, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "001.sql"
        file.write_text(FILE, encoding="utf-8")
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "help": [sys.executable, "-m", "producer", "--help"],
            "validate": [sys.executable, "-m", "producer", "validate", str(file)],
        }
        samples: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            cpu_ms(command)
        for _ in range(RUNS):
            for name, command in commands.items():
                samples[name].append(cpu_ms(command))
    figures = {name: summary(found) for name, found in samples.items()}
    keep("startup", {"unit": "ms of process time", **figures, "bound": 400})


if __name__ == "__main__":
    main()

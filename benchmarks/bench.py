"""What every benchmark shares: a stack of its own, the command line, a result with its date."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout

RESULTS = Path(__file__).parent / "results"
BUILD = Path(__file__).parent.parent / "build" / "bench"
CALL_LIMIT_S = 1800
STATUS_PERIOD_S = 0.2
"""A status is a process of its own, on the processors of what is measured."""


def bluegreen(state: Path | None, *words: str, check: bool = True) -> Any:
    """Run the command line with --json; what it printed, as data."""
    environment = dict(os.environ)
    if state is not None:
        environment["BLUEGREEN_STATE_DIR"] = str(state)
    said = subprocess.run(
        [sys.executable, "-m", "producer", *words, "--json"],
        capture_output=True, text=True, timeout=CALL_LIMIT_S, env=environment, check=False,
    )  # fmt: skip
    if check and said.returncode != 0:
        raise SystemExit(f"bluegreen {' '.join(words)}: exit {said.returncode}\n{said.stderr}")
    return json.loads(said.stdout) if said.stdout.strip() else {}


@contextmanager
def stack() -> Iterator[tuple[Path, dict[str, str]]]:
    """An embedded stack that is gone at the end: its state directory and its doors."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-bench-") as folder:
        os.chmod(folder, 0o755)
        state = Path(folder) / "state"
        doors = bluegreen(None, "up", "--state-dir", str(state))
        try:
            yield state, doors
        finally:
            bluegreen(None, "down", "--state-dir", str(state), check=False)


def reconfigure_monitor(state: Path, changes: dict[str, Any]) -> None:
    """Write fields of the monitor's settings, and start the health-monitor with them."""
    path = Layout(state).settings
    body = json.loads(path.read_text(encoding="utf-8"))
    monitor = {**body["monitor"], **changes}
    monitor["limits"] = {**body["monitor"]["limits"], **changes.get("limits", {})}
    path.write_text(json.dumps({**body, "monitor": monitor}, indent=1), encoding="utf-8")
    control = ControlFiles(Layout(state).supervisor)
    before = control.status("health-monitor").pid
    control.want("health-monitor", "stopped")
    until(lambda: not control.status("health-monitor").is_running, what="the old monitor ends")
    control.want("health-monitor", "running")
    until(
        lambda: control.status("health-monitor").pid not in (None, before),
        what="the health-monitor is started anew",
    )


def until(
    holds: Callable[[], bool], *, what: str, limit_s: float = 60, look_s: float = 0.05
) -> None:
    """Look every `look_s` seconds until it holds. Raises SystemExit, which names what is not so."""
    end = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"expected within {limit_s:g} s that {what}, found it was not so")
        time.sleep(look_s)


def held_job(state: Path, file: Path, *words: str, limit_s: float) -> str:
    """Submit a risky file; the job, once nothing but its approval is missing."""
    words = ("--type", "risky", "--yes", "--hold", "--detach", *words)
    job: str = bluegreen(state, "run", str(file), *words)["job"]
    until_status(state, job, lambda found: found["step"] == "hold_for_approval", limit_s=limit_s)
    return job


def until_status(
    state: Path, job: str, reached: Callable[[dict[str, Any]], bool], *, limit_s: float
) -> None:
    """Raises SystemExit, with the job's sentence, when it ends otherwise or takes too long."""
    end = time.monotonic() + limit_s
    while not reached(found := bluegreen(state, "status", job)):
        if found["outcome"] or time.monotonic() > end:
            raise SystemExit(f"job {job} did not come as far as it should: {found['sentence']}")
        time.sleep(STATUS_PERIOD_S)


def summary(samples: Sequence[float]) -> dict[str, float]:
    """Minimum, median, maximum and number of the samples."""
    return {
        "min": round(min(samples), 3),
        "median": round(statistics.median(samples), 3),
        "max": round(max(samples), 3),
        "n": len(samples),
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of an ordered sequence does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def keep(name: str, result: dict[str, Any], *, show: bool = True) -> None:
    """Write the result to benchmarks/results/ and build/bench/, with date, commit and machine, and
    print it unless whoever measured says it shorter."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    ).stdout.strip()  # fmt: skip
    body = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        **result,
    }
    text = json.dumps(body, indent=2) + "\n"
    for place in (RESULTS, BUILD):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.json").write_text(text, encoding="utf-8")
    if show:
        print(text)

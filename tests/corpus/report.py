"""What one run of the corpus found, on disk after every job: also of a run that is broken off."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PATH = Path("build/corpus/report.json")
DIRTY = "-dirty"
"""At the end of a commit's name: files differ from it."""


@dataclass
class Report:
    path: Path
    commit: str
    jobs: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def add(self, results: Sequence[dict[str, Any]], job: dict[str, Any] | None = None) -> None:
        """Nothing of it is lost from here on."""
        self.results += results
        if job is not None:
            self.jobs.append(job)
        self.write(ended=False)

    def write(self, *, ended: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        body = {**self.totals, "ended": ended, "jobs": self.jobs, "results": self.results}
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path)

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [result for result in self.results if result["problems"]]

    @property
    def totals(self) -> dict[str, Any]:
        return {
            "passed": len(self.results) - len(self.failed),
            "failed": len(self.failed),
            "cases": len({result["case"] for result in self.results}),
            "seconds": round(time.monotonic() - self._began, 1),
            "commit": self.commit,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def head() -> str:
    """The commit that stands here, with DIRTY when files differ from it; results are no code."""
    here = Path(__file__).parents[2]
    changes = ["status", "--porcelain", "--", ".", ":!benchmarks/results"]
    changed, commit = (
        subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False, timeout=30, cwd=here
        ).stdout.strip()
        for words in (changes, ["rev-parse", "--short=7", "HEAD"])
    )
    return f"{commit}{DIRTY if changed else ''}" if commit else "unknown"

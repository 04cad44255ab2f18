"""What a run of the corpus found, on disk after every job: a night broken off keeps its hours.

A report is about one commit. Only a run of the same commit may go on with it, and none of files
that are not committed: nobody can tell whether they are still the same.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

PATH = Path("build/corpus/report.json")
DIRTY = "-dirty"
"""At the end of a commit's name: files differ from it."""


@dataclass
class Report:
    path: Path
    commit: str
    seconds_before: float = 0.0
    """Of the runs that were broken off."""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, path: Path = PATH, *, resume: bool, commit: str | None = None) -> Self:
        """Empty; with `resume` the one that lies there. Raises SystemExit when that is not
        about this commit, or cannot be read."""
        commit = commit or head()
        if not resume or not path.exists():
            return cls(path, commit)
        try:
            old = json.loads(path.read_text(encoding="utf-8"))
            found, seconds = old["commit"], old["seconds"]
            jobs, results = old["jobs"], old["results"]
        except (ValueError, KeyError) as error:
            raise SystemExit(
                f"expected a report of the corpus in {path}, found {error!r}; "
                "without --resume the run begins anew"
            ) from error
        if found != commit or commit.endswith(DIRTY):
            raise SystemExit(
                f"expected in {path} a report of what is committed as {commit}, "
                f"found one of {found}; "
                "without --resume the run begins anew"
            )
        return cls(path, commit, seconds, jobs, results)

    def has(self, version: int, name: str) -> bool:
        return any(r["case"] == name and r["version"] == version for r in self.results)

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
            "seconds": round(self.seconds_before + time.monotonic() - self._began, 1),
            "commit": self.commit,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def head() -> str:
    """The commit that stands here, with DIRTY when files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", f"--dirty={DIRTY}", "--abbrev=7", "--exclude=*"],
        capture_output=True, text=True, check=False, timeout=30, cwd=Path(__file__).parent,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"

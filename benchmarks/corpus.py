"""Keep what the corpus found last, `build/corpus/report.json`, among the results: totals, what
failed, and how long it took; a run that was broken off says so.

Usage: python -m benchmarks.corpus
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from typing import Any

from benchmarks.bench import keep
from tests.corpus.report import PATH


def main() -> None:
    if not PATH.exists():
        raise SystemExit(f"expected a report of the corpus in {PATH}, found none: run it first")
    keep("corpus", kept(json.loads(PATH.read_text(encoding="utf-8"))))


def kept(report: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a report: not what each of hundreds of jobs took."""
    windows = [ms for job in report["jobs"] for ms in job.get("windowsMs", [])]
    versions = Counter(str(result["version"]) for result in report["results"])
    return {
        **{name: report[name] for name in ("at", "commit", "ended", "passed", "failed")},
        "cases": report["cases"],
        "casesOnVersion": dict(sorted(versions.items())),
        "jobs": len(report["jobs"]),
        "seconds": report["seconds"],
        "rowsCompared": sum(job.get("rowsCompared", 0) for job in report["jobs"]),
        "transactions": sum(job.get("transactions", 0) for job in report["jobs"]),
        "switches": len(windows),
        "medianWindowMs": round(statistics.median(windows), 1) if windows else None,
        "failures": [result for result in report["results"] if result["problems"]],
    }


if __name__ == "__main__":
    main()

"""What is known of every case in a job of its own, over all runs: kept among the results.

Hours of a machine that is gone are not lost so. Each case has one entry for each version of
PostgreSQL: whether it passed, and the commit at which that was seen. What an older commit showed
is kept as just that, until it is seen anew. At one commit, what failed once has failed.
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import Any, Self

PATH = Path("benchmarks/results/corpus-full.json")
WIDTH = 96
"""Of a line of names: a result that many can read, and that changes in few lines."""
COUNTED = ("jobs", "seconds", "transactions", "rowsCompared", "switches")


@dataclass(frozen=True, slots=True)
class Seen:
    commit: str
    problems: tuple[str, ...] = ()


@dataclass
class Ledger:
    path: Path
    seen: dict[int, dict[str, Seen]] = field(default_factory=dict)
    """By version and by name of a case."""
    counted: dict[int, Counter[str]] = field(default_factory=dict)
    """Of all jobs there ever were, by version."""

    @classmethod
    def read(cls, path: Path = PATH) -> Self:
        """Empty where there is none yet. Raises SystemExit when it cannot be read."""
        ledger = cls(path)
        if not path.exists():
            return ledger
        try:
            for version, body in json.loads(path.read_text(encoding="utf-8"))["versions"].items():
                ledger._take(int(version), body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SystemExit(
                f"expected what is known of the corpus in {path}, found {error!r}; "
                "take it from the repository again"
            ) from error
        return ledger

    def is_settled(self, version: int, name: str, commit: str) -> bool:
        """Whether it need not be played to go on: it passed once, or failed at this commit."""
        seen = self.seen.get(version, {}).get(name)
        return seen is not None and (not seen.problems or seen.commit == commit)

    def note(self, version: int, name: str, commit: str, problems: Sequence[str]) -> None:
        entries = self.seen.setdefault(version, {})
        before = entries.get(name)
        if before is not None and before.problems and before.commit == commit and not problems:
            return
        entries[name] = Seen(commit, tuple(problems))

    def count(self, version: int, job: Mapping[str, Any]) -> None:
        """The figures of one job: seconds by part, transactions, rows compared, switches."""
        sums = self.counted.setdefault(version, Counter())
        sums["jobs"] += 1
        sums["seconds"] += round(sum(job.get("seconds", {}).values()))
        sums["switches"] += len(job.get("windowsMs", []))
        for name in ("transactions", "rowsCompared"):
            sums[name] += job.get(name, 0)

    def write(self) -> None:
        body = {
            "benchmark": self.path.stem,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
            "versions": {str(version): self._given(version) for version in sorted(self.seen)},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path)

    def is_whole(self, wanted: Mapping[int, Collection[str]]) -> bool:
        """Whether each of these cases has passed, at whatever commit."""
        return all(
            name in self.seen.get(version, {}) and not self.seen[version][name].problems
            for version, names in wanted.items()
            for name in names
        )

    def sentences(self, wanted: Mapping[int, Collection[str]]) -> list[str]:
        """For each version, how many of the cases that are wanted were seen, and at what commit."""
        told = []
        for version, names in sorted(wanted.items()):
            entries = self.seen.get(version, {})
            seen = [entries[name] for name in names if name in entries]
            passed = Counter(each.commit for each in seen if not each.problems)
            failed = len(seen) - passed.total()
            where = ", ".join(f"{number} at {commit}" for commit, number in passed.most_common())
            told.append(
                f"{version}: {passed.total()} of {len(names)} passed"
                f"{f' ({where})' if where else ''}, {failed} failed"
            )
        return told

    def _take(self, version: int, body: Mapping[str, Any]) -> None:
        entries = self.seen.setdefault(version, {})
        for commit, names in body["passed"].items():
            entries.update({name: Seen(commit) for name in " ".join(names).split()})
        for each in body["failed"]:
            entries[each["case"]] = Seen(each["commit"], tuple(each["problems"]))
        self.counted[version] = Counter({name: body[name] for name in COUNTED if name in body})

    def _given(self, version: int) -> dict[str, Any]:
        passed: dict[str, list[str]] = {}
        failed = []
        for name, seen in self.seen[version].items():
            if seen.problems:
                failed.append({"case": name, "commit": seen.commit, "problems": seen.problems})
            else:
                passed.setdefault(seen.commit, []).append(name)
        sums = self.counted.get(version, Counter())
        return {
            **{name: sums[name] for name in COUNTED},
            "passed": {commit: wrap(" ".join(names), WIDTH) for commit, names in passed.items()},
            "failed": failed,
        }

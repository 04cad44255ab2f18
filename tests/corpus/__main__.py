"""`python -m tests.corpus`: run the corpus, print `N passed, 0 failed`, write the report.

--versions 15,16,18   one job for each, with all cases in it
--alone               a job for each case instead
--only NAME,...       these cases; a generated one is `seed_17`
--seeds N             so many generated cases
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.corpus.case import Case
from tests.corpus.cases import CASES, REFUSALS
from tests.corpus.faults import CASE, plant
from tests.corpus.generated import generated
from tests.corpus.play import Played, play
from tests.corpus.refused import refused_otherwise

REPORT = Path("build/corpus/report.json")


def main() -> int:
    asked = _arguments()
    began = time.monotonic()
    results: list[dict[str, object]] = []
    jobs: list[dict[str, object]] = []
    for version in asked.versions:
        cases = [case for case in _chosen(asked) if case.since <= version]
        for group in _groups(cases, alone=asked.alone):
            for played in _until_it_ends(version, group):
                jobs.append(_job(played))
                results += _results(played)
                _tell(played)
        ends = (min(asked.versions), max(asked.versions))  # what lies between refuses alike
        refusals = [
            refusal
            for refusal in REFUSALS
            if version in ends and refusal.since <= version and _wanted(asked, refusal.name)
        ]
        for name, problem in refused_otherwise(version, refusals).items():
            results.append({"case": name, "version": version, "problems": problem})
            _say(version, name, problem)
    failed = [result for result in results if result["problems"]]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "passed": len(results) - len(failed),
        "failed": len(failed),
        "cases": len({result["case"] for result in results}),
        "seconds": round(time.monotonic() - began, 1),
        "jobs": jobs,
        "results": results,
    }
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{report['passed']} passed, {report['failed']} failed"
          f" ({report['cases']} cases, {report['seconds']} s, {REPORT})")  # fmt: skip
    return 1 if failed or not results else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--versions", type=_numbers, default=[15, 16, 18])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--seeds", type=int, default=0)
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _wanted(asked: argparse.Namespace, name: str) -> bool:
    return not asked.only or name in asked.only


def _chosen(asked: argparse.Namespace) -> list[Case]:
    seeds = {f"seed_{number}": number for number in range(1, asked.seeds + 1)}
    seeds |= {name: int(name[5:]) for name in asked.only if name.startswith("seed_")}
    every = [*CASES, CASE, *(generated(number) for number in seeds.values())]
    return [case for case in every if _wanted(asked, case.name)]


def _until_it_ends(version: int, cases: list[Case]) -> Iterator[Played]:
    """A job that breaks down says nothing of the cases beside the broken one: without that one they
    are played again."""
    left = cases
    while left:
        played = play(version, left, plant)
        if not played.general or not played.problems or len(left) == 1:
            yield played
            return
        left = [case for case in left if case.name not in played.problems]
        yield replace(
            played,
            cases=[case for case in played.cases if case.name in played.problems],
        )


def _groups(cases: list[Case], *, alone: bool) -> list[list[Case]]:
    """The cases that share a job."""
    if alone:
        return [[case] for case in cases]
    together = [case for case in cases if not case.apart]
    apart = [case for case in cases if case.apart]
    return [group for group in (together, apart) if group]


def _job(played: Played) -> dict[str, object]:
    return {"version": played.version, "cases": len(played.cases), "seconds": played.seconds,
            **played.facts, "problems": played.general}  # fmt: skip


def _results(played: Played) -> Sequence[dict[str, object]]:
    whole = ["the job did not come to its end"] if played.general else []
    return [
        {"case": case.name, "version": played.version,
         "problems": played.problems.get(case.name, []) or whole}
        for case in played.cases
    ]  # fmt: skip


def _tell(played: Played) -> None:
    print(f"{played.version}: {played.seconds} {played.facts}", flush=True)
    for problem in played.general:
        print(f"{played.version}: {problem}", flush=True)
    for name, problems in played.problems.items():
        _say(played.version, name, problems)


def _say(version: int, name: str, problems: Sequence[str]) -> None:
    for problem in problems:
        print(f"{version} {name}: {problem}", flush=True)


sys.exit(main())

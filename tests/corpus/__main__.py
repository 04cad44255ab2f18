"""`python -m tests.corpus`: run it, print `N passed, 0 failed`; a report after each job.

--versions 15,16,18   one job for each, with all cases in it
--alone               a job for each case instead
--only NAME,...       these cases; a generated one is `seed_17`
--seeds N             so many generated cases
--resume              go on after the last job that the report of this commit has
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.corpus.case import Case
from tests.corpus.cases import CASES, REFUSALS
from tests.corpus.faults import CASE, plant
from tests.corpus.generated import generated
from tests.corpus.play import Played, play
from tests.corpus.refused import refused_otherwise
from tests.corpus.report import Report


def main() -> int:
    asked = _arguments()
    report = Report.begin(resume=asked.resume)
    for version in asked.versions:
        cases = [
            case
            for case in _chosen(asked)
            if case.since <= version and not report.has(version, case.name)
        ]
        for group in _groups(cases, alone=asked.alone):
            for played in _until_it_ends(version, group):
                report.add(_results(played), _job(played))
                _tell(played)
        _refuse(version, asked, report)
    report.write(ended=True)
    found = report.totals
    print(f"{found['passed']} passed, {found['failed']} failed"
          f" ({found['cases']} cases, {found['seconds']} s, {report.path})")  # fmt: skip
    return 1 if report.failed or not report.results else 0


def _refuse(version: int, asked: argparse.Namespace, report: Report) -> None:
    if version not in (min(asked.versions), max(asked.versions)):
        return  # what lies between refuses alike
    refusals = [
        refusal
        for refusal in REFUSALS
        if refusal.since <= version
        and _wanted(asked, refusal.name)
        and not report.has(version, refusal.name)
    ]
    for name, problems in refused_otherwise(version, refusals).items():
        report.add([{"case": name, "version": version, "problems": problems}])
        _say(version, name, problems)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--versions", type=_numbers, default=[15, 16, 18])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
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

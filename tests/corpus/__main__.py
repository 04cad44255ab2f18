"""`python -m tests.corpus`: run it, print `N passed, 0 failed`; a report after each job.

--versions 15,16,18   one job for each, with all cases in it
--alone               a job for each case instead, generated ones by twenties; what they found is
                      kept in benchmarks/results/corpus-full.json, each with its commit
--resume              with --alone: only what has not been seen to pass yet
--only NAME,...       these cases; a generated one is `seed_17`
--seeds N             so many generated cases
--at-once N           so many jobs side by side, each with servers of its own
--hold-while FILE     no job begins while that file exists
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.corpus.case import Case
from tests.corpus.cases import CASES, REFUSALS
from tests.corpus.crew import end_in_order, played_by
from tests.corpus.faults import CASE
from tests.corpus.generated import generated
from tests.corpus.ledger import Ledger
from tests.corpus.played import Played
from tests.corpus.refused import refused_otherwise
from tests.corpus.report import DIRTY, PATH, Report, head

TOGETHER = 20
"""Generated cases in one job: they differ in their columns, not in what a job does with them."""


def main() -> int:
    end_in_order()
    asked = _arguments()
    report, ledger = Report(PATH, head()), Ledger.read()
    if asked.alone and report.commit.endswith(DIRTY):
        print(f"files differ from {report.commit}: what is found is not kept", flush=True)
    wanted = {version: _chosen(asked, version) for version in asked.versions}
    for version, cases in wanted.items():
        left = [case for case in cases if not _is_known(asked, ledger, report, version, case.name)]
        groups = _groups(left, alone=asked.alone)
        jobs = played_by(version, groups, at_once=asked.at_once, hold=asked.hold_while)
        with closing(jobs):  # broken off here, too, it takes its processes down
            for played in jobs:
                _keep(asked, report, ledger, version, _results(played), _job(played))
                _tell(played)
        _refuse(version, asked, report, ledger)
    report.write(ended=True)
    found = report.totals
    print(f"{found['passed']} passed, {found['failed']} failed"
          f" ({found['cases']} cases, {found['seconds']} s, {report.path})")  # fmt: skip
    if not asked.alone:
        return 1 if report.failed or not report.results else 0
    names = {version: [case.name for case in cases] for version, cases in wanted.items()}
    print("\n".join(ledger.sentences(names)))
    return 1 if report.failed or not ledger.is_whole(names) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--versions", type=_numbers, default=[15, 16, 18])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--hold-while", type=Path)
    asked = parser.parse_args()
    if asked.resume and not asked.alone:
        parser.error("--resume goes on with --alone; without it there is one job to a version")
    if asked.at_once < 1:
        parser.error(f"expected at least one job at once, found {asked.at_once}")
    return asked


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _wanted(asked: argparse.Namespace, name: str) -> bool:
    return not asked.only or name in asked.only


def _chosen(asked: argparse.Namespace, version: int) -> list[Case]:
    seeds = {f"seed_{number}": number for number in range(1, asked.seeds + 1)}
    seeds |= {name: int(name[5:]) for name in asked.only if name.startswith("seed_")}
    every = [*CASES, CASE, *(generated(number) for number in seeds.values())]
    return [
        case for case in every if case.since <= version <= case.until and _wanted(asked, case.name)
    ]


def _is_known(
    asked: argparse.Namespace, ledger: Ledger, report: Report, version: int, name: str
) -> bool:
    return asked.resume and ledger.is_settled(version, name, report.commit)


def _groups(cases: list[Case], *, alone: bool) -> list[list[Case]]:
    """The cases that share a job."""
    if alone:
        seeds = [case for case in cases if case.name.startswith("seed_")]
        return [
            *([case] for case in cases if case not in seeds),
            *(seeds[at : at + TOGETHER] for at in range(0, len(seeds), TOGETHER)),
        ]
    together = [case for case in cases if not case.apart]
    apart = [case for case in cases if case.apart]
    return [group for group in (together, apart) if group]


def _refuse(version: int, asked: argparse.Namespace, report: Report, ledger: Ledger) -> None:
    if version not in (min(asked.versions), max(asked.versions)):
        return  # what lies between refuses alike
    refusals = [
        refusal
        for refusal in REFUSALS
        if refusal.since <= version
        and _wanted(asked, refusal.name)
        and not _is_known(asked, ledger, report, version, refusal.name)
    ]
    for name, problems in refused_otherwise(version, refusals).items():
        found: list[dict[str, object]] = [{"case": name, "version": version, "problems": problems}]
        _keep(asked, report, ledger, version, found)
        _say(version, name, problems)


def _keep(
    asked: argparse.Namespace,
    report: Report,
    ledger: Ledger,
    version: int,
    results: Sequence[dict[str, object]],
    job: dict[str, object] | None = None,
) -> None:
    report.add(results, job)
    if not asked.alone or report.commit.endswith(DIRTY):
        return
    for result in results:
        problems = result["problems"]
        assert isinstance(problems, list)
        ledger.note(version, str(result["case"]), report.commit, problems)
    if job is not None:
        ledger.count(version, job)
    ledger.write()


def _job(played: Played) -> dict[str, object]:
    return {"version": played.version, "cases": len(played.cases), "seconds": played.seconds,
            **played.facts, "problems": played.general}  # fmt: skip


def _results(played: Played) -> list[dict[str, object]]:
    whole = [f"the job as a whole: {what}" for what in played.general[:1]]
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


if __name__ == "__main__":
    sys.exit(main())

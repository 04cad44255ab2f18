"""What is known of the corpus outlives the machine that found it, each entry with its commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.corpus.ledger import Ledger
from tests.corpus.report import Report

JOB = {"seconds": {"servers": 4.4, "climb": 2.2}, "windowsMs": [10.0, 30.0, 20.0],
       "transactions": 5, "rowsCompared": 7}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "corpus-full.json"


def known(path: Path) -> Ledger:
    """One case passed, one failed, at commit `aaaaaaa` on 17."""
    ledger = Ledger(path)
    ledger.note(17, "add_column", "aaaaaaa", [])
    ledger.note(17, "drop_column", "aaaaaaa", ["forward: t: 1 row"])
    ledger.count(17, JOB)
    ledger.write()
    return Ledger.read(path)


def test_another_commit_goes_on_with_what_passed_and_tries_what_failed(path: Path) -> None:
    ledger = known(path)
    assert ledger.is_settled(17, "add_column", "bbbbbbb")
    assert not ledger.is_settled(17, "drop_column", "bbbbbbb")
    assert not ledger.is_settled(17, "rename_column", "bbbbbbb")
    assert not ledger.is_settled(18, "add_column", "bbbbbbb")


def test_at_one_commit_what_failed_once_has_failed(path: Path) -> None:
    ledger = known(path)
    assert ledger.is_settled(17, "drop_column", "aaaaaaa")
    ledger.note(17, "drop_column", "aaaaaaa", [])
    assert ledger.seen[17]["drop_column"].problems == ("forward: t: 1 row",)
    ledger.note(17, "drop_column", "bbbbbbb", [])
    assert not ledger.seen[17]["drop_column"].problems


def test_a_failure_counts_more_than_that_it_passed_before(path: Path) -> None:
    ledger = known(path)
    ledger.note(17, "add_column", "bbbbbbb", ["back: t: 2 rows"])
    assert ledger.sentences({17: ["add_column", "drop_column"]}) == ["17: 0 of 2 passed, 2 failed"]


def test_what_an_older_commit_showed_is_kept_as_that(path: Path) -> None:
    ledger = known(path)
    ledger.note(17, "drop_column", "bbbbbbb", [])
    ledger.note(17, "rename_column", "bbbbbbb", [])
    ledger.write()
    assert Ledger.read(path).sentences(
        {17: ["add_column", "drop_column", "rename_column", "other"], 18: ["add_column"]}
    ) == [
        "17: 3 of 4 passed (2 at bbbbbbb, 1 at aaaaaaa), 0 failed",
        "18: 0 of 1 passed, 0 failed",
    ]


def test_whole_is_only_what_passed_everywhere(path: Path) -> None:
    ledger = known(path)
    assert ledger.is_whole({17: ["add_column"]})
    assert not ledger.is_whole({17: ["add_column", "drop_column"]})
    assert not ledger.is_whole({17: ["add_column"], 18: ["add_column"]})


def test_figures_of_the_jobs_add_up_over_the_runs(path: Path) -> None:
    ledger = known(path)
    ledger.count(17, JOB)
    ledger.write()
    found = json.loads(path.read_text())["versions"]["17"]
    assert (found["jobs"], found["seconds"], found["switches"]) == (2, 14, 6)
    assert (found["transactions"], found["rowsCompared"]) == (10, 14)


@pytest.mark.parametrize("text", ["{", "{}", '{"versions": {"x": {}}}', '{"versions": {"17": {}}}'])
def test_one_that_cannot_be_read_is_named(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SystemExit, match=r"corpus-full\.json"):
        Ledger.read(path)


def test_the_report_of_a_run_says_that_it_was_broken_off(tmp_path: Path) -> None:
    report = Report(tmp_path / "corpus" / "report.json", "aaaaaaa")
    report.add([{"case": "add_column", "version": 17, "problems": []}], JOB)
    found = json.loads(report.path.read_text())
    assert (found["passed"], found["failed"], found["ended"]) == (1, 0, False)
    report.add([{"case": "drop_column", "version": 17, "problems": ["forward: t: 1 row"]}], JOB)
    report.write(ended=True)
    found = json.loads(report.path.read_text())
    assert (found["passed"], found["failed"], found["ended"]) == (1, 1, True)
    assert (found["cases"], found["commit"], len(found["jobs"])) == (2, "aaaaaaa", 2)

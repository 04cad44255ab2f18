"""A run of the corpus that is broken off goes on where it stopped, and only about one commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.corpus import kept
from tests.corpus.report import Report

PASSED = {"case": "add_column", "version": 17, "problems": []}
FAILED = {"case": "drop_column", "version": 17, "problems": ["forward: t: 1 row"]}
JOB = {"version": 17, "cases": 1, "windowsMs": [10.0, 30.0], "transactions": 5, "rowsCompared": 7}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "corpus" / "report.json"


def broken_off(path: Path) -> None:
    report = Report.begin(path, resume=False, commit="aaaaaaa")
    report.add([PASSED], JOB)
    report.add([FAILED], JOB)


def test_goes_on_with_everything_that_was_found_before(path: Path) -> None:
    broken_off(path)
    report = Report.begin(path, resume=True, commit="aaaaaaa")
    assert report.has(17, "add_column")
    assert report.has(17, "drop_column"), "what failed once has failed"
    assert not report.has(18, "add_column")
    report.add([{**PASSED, "version": 18}])
    report.write(ended=True)
    found = json.loads(path.read_text())
    assert (found["passed"], found["failed"], found["cases"]) == (2, 1, 2)
    assert len(found["jobs"]) == 2
    assert found["ended"]


def test_says_that_it_was_broken_off(path: Path) -> None:
    broken_off(path)
    assert not json.loads(path.read_text())["ended"]


@pytest.mark.parametrize("commit", ["bbbbbbb", "aaaaaaa-dirty"])
def test_never_mixes_two_states_of_the_code(path: Path, commit: str) -> None:
    broken_off(path)
    with pytest.raises(SystemExit, match=f"{commit}, found one of aaaaaaa"):
        Report.begin(path, resume=True, commit=commit)


def test_an_unreadable_report_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(SystemExit, match="without --resume"):
        Report.begin(path, resume=True, commit="aaaaaaa")


def test_what_is_kept_names_the_failures(path: Path) -> None:
    broken_off(path)
    found = kept(json.loads(path.read_text()))
    assert found["failures"] == [FAILED]
    assert (found["transactions"], found["switches"], found["medianWindowMs"]) == (10, 4, 20.0)
    assert found["casesOnVersion"] == {"17": 2}
    assert found["commit"] == "aaaaaaa"

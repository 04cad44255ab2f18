"""What jobs took, how often they succeeded, and what clients felt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from producer.track_record import impact, summary, summary_lines, took_s
from shared.domain.environment import Colour
from shared.domain.migration import Kind, Outcome, RunOptions
from shared.ports import JobRecord
from tests.support.fakes import EPOCH


def ended(kind: Kind, outcome: Outcome | None, seconds: float = 10, **facts: Any) -> JobRecord:
    return JobRecord(
        id="j", database="app", kind=kind, file_name="f.sql", sql="", options=RunOptions(),
        source=Colour.BLUE, phase="", step=None, outcome=outcome, sentence="", epoch=1, attempt=1,
        requested_by="me", requested_at=EPOCH, facts=facts,
        ended_at=EPOCH + timedelta(seconds=seconds) if outcome else None,
    )  # fmt: skip


CUTOVER = {"at": EPOCH.isoformat(), "direction": "blue->green", "window_ms": 43.0}
HELD = {
    "held_at": EPOCH.isoformat(),
    "released_at": (EPOCH + timedelta(seconds=4.5)).isoformat(),
}


def test_rates_count_what_was_tried_and_leave_out_refusals_and_live_jobs() -> None:
    jobs = [
        ended(Kind.RISKY, Outcome.COMPLETED, 100, cutover=CUTOVER),
        ended(Kind.RISKY, Outcome.COMPLETED, 300, cutover=CUTOVER | {"window_ms": 90.0}),
        ended(Kind.RISKY, Outcome.ROLLED_BACK, 50),
        ended(Kind.RISKY, Outcome.REFUSED, 1),
        ended(Kind.RISKY, None),
    ]
    (found,) = summary(jobs).values()
    assert found["jobs"] == 4
    assert found["outcomes"] == {
        "completed": 2, "rolled_back": 1, "refused": 1, "needs_operator": 0
    }  # fmt: skip
    assert found["successRate"] == pytest.approx(0.667)
    assert found["failureRate"] == pytest.approx(0.333)
    assert (found["medianSeconds"], found["longestSeconds"]) == (100, 300)
    assert found["longestPauseMs"] == 90.0


def test_the_impact_of_a_job_is_its_pause_or_its_downtime() -> None:
    assert impact(ended(Kind.RISKY, Outcome.COMPLETED, cutover=CUTOVER)) == {
        "pauseMs": 43.0, "downtimeS": None
    }  # fmt: skip
    assert impact(ended(Kind.MAINTENANCE, Outcome.COMPLETED, release_traffic=HELD)) == {
        "pauseMs": None, "downtimeS": 4.5
    }  # fmt: skip
    undone = ended(Kind.MAINTENANCE, Outcome.ROLLED_BACK, hold_traffic=HELD)
    assert impact(undone)["downtimeS"] == 4.5


def test_a_kind_whose_jobs_were_all_refused_has_no_rate() -> None:
    found = summary([ended(Kind.SAFE, Outcome.REFUSED)])
    assert found["safe"]["successRate"] is None
    assert list(summary_lines(found)) == ["safe         1 ended"]


def test_it_is_read_at_a_glance() -> None:
    jobs = [
        ended(Kind.MAINTENANCE, Outcome.COMPLETED, 75, release_traffic=HELD),
        ended(Kind.MAINTENANCE, Outcome.ROLLED_BACK, 25, hold_traffic=HELD),
    ]
    assert list(summary_lines(summary(jobs))) == [
        "maintenance  2 ended, 50% completed, median 50 s, longest 1 min 15 s, downtime 9.0 s"
    ]


def test_a_live_job_has_no_duration() -> None:
    assert took_s(ended(Kind.SAFE, None)) is None

"""Each line of the checklists carries what was measured, and nothing is ticked that was not."""

from __future__ import annotations

from typing import Any

from producer.reports.checklist import Line, checklist, checklist_lines


def step(name: str, state: str = "done", *, attempts: int = 1, said: str = "") -> dict[str, Any]:
    return {"name": name, "state": state, "attempts": attempts, "sentence": said, "seconds": 2.0}


def body(kind: str = "risky", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "job": "j", "type": kind, "outcome": "completed", "steps": [], "switches": [],
        "comparison": None, "rollbackPoint": None, "downtime": None, "announcements": [],
    }  # fmt: skip
    return found | more


def lines(found: dict[str, Any]) -> dict[str, Line]:
    return {line.item: line for line in checklist(found)}


RISKY = body(
    steps=[
        step("rehearse", said="2 tables change"),
        step("preflight", said="nothing stands in the way"),
        step("catch_up", attempts=3),
        step("confirm", said="confirmed: 900 transactions in 5 s, 0 rolled back"),
        step("hold_rollback_window"),
        step("restore_standby", said="blue is the standing standby of green"),
    ],
    switches=[{
        "direction": "blue->green", "failedTransactions": 0, "longestMs": 71.0, "windowMs": 43.0,
        "baselineMs": {"p50": 1.2, "p99": 4.0},
    }],
    comparison={"rowsCompared": 12_345, "rowsDifferent": 0},
    rollbackPoint={"verified": True, "scope": "affected", "rows": 7, "path": "p"},
)  # fmt: skip


def test_a_risky_migration_that_went_well_has_every_answer() -> None:
    found = lines(RISKY)
    assert found["backup verified"] == (
        "before", "backup verified", "ok", "affected, restored elsewhere, 7 rows counted"
    )  # fmt: skip
    assert found["application"].answer == "blue->green: 0 failed, longest wait 71 ms"
    assert found["issues"].state == "failed"
    assert found["issues"].answer == "catch_up at attempt 3"
    assert found["data integrity"].answer == "12,345 rows compared, 0 different"
    assert "before p50 1.2 ms" in found["performance"].answer
    assert {line.state for item, line in found.items() if item != "issues"} <= {"ok", "not needed"}


def test_nothing_is_ticked_of_a_job_that_was_refused_at_once() -> None:
    found = lines(body(outcome="refused", steps=[step("validate", "failed", said="no such table")]))
    ticked = {item for item, line in found.items() if line.state == "ok"}
    assert ticked == {"documentation"}
    assert found["way back"].answer == "nothing was changed"
    assert found["old environment"].state == "not needed"
    assert found["tested"].state == "failed"
    assert found["issues"].answer == "validate failed"


def test_what_failed_is_marked_as_failed() -> None:
    switch = RISKY["switches"][0] | {"failedTransactions": 3}
    found = lines(RISKY | {"switches": [switch], "comparison": {"rowsCompared": 9,
                  "rowsDifferent": 2}})  # fmt: skip
    assert found["application"].state == "failed"
    assert found["data integrity"].state == "failed"


def test_a_maintenance_says_its_downtime_and_who_was_told() -> None:
    downtime = {"seconds": 3.25, "how": "hold"}
    told = ["maintenance of app begins: clients wait until f.sql has run"]
    found = lines(
        body("maintenance", steps=[step("apply_on_active")], downtime=downtime, announcements=told)
    )
    assert found["application"].answer == "downtime 3.2 s"
    assert found["team told"].answer.startswith("1 announcement: maintenance of app begins")
    assert found["rollback window"].state == "not needed"


def test_it_reads_as_three_lists() -> None:
    text = list(checklist_lines(checklist(RISKY)))
    heads = [line for line in text if not line.startswith("- [")]
    assert heads == ["Before the migration", "During the migration", "After the migration"]
    assert "- [x] data integrity: 12,345 rows compared, 0 different" in text
    assert "- [!] issues: catch_up at attempt 3" in text


def test_what_passed_before_a_rollback_is_not_told_by_its_undo() -> None:
    undone = [step(name, "undone", said="nothing to undo") for name in ("validate", "preflight")]
    found = lines(
        body("maintenance", outcome="rolled_back", steps=[*undone, step("confirm", "failed",
             said="the server does not answer")])
    )  # fmt: skip
    assert found["tested"].answer.startswith("validated against the live schema: passed")
    assert found["health baseline"][2:] == ("ok", "passed, before the job was taken back")
    assert found["way back"].answer == "it was gone: everything is as it was"
    assert found["performance"].state == "failed"

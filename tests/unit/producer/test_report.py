"""The report says what a job did, under the promised names, in three forms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from producer.reports.document import report_document
from producer.reports.html import page
from producer.reports.mapping import mapping_document
from producer.reports.markdown import markdown
from producer.reports.switch_phases import phases_of
from producer.reports.switch_svg import close_up, overview
from producer.reports.switch_text import text_picture
from shared.domain.migration import Outcome, StepState
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import Name
from shared.ports import SwitchRecord
from tests.support.fakes import EPOCH
from tests.unit.producer.test_client import World

MAPPING = Mapping(
    tables=[
        Table(
            sync=Name("public", "customers"),
            final=Name("public", "clients"),
            columns=[
                Column(kind="kept", sync="id", final="id", type="bigint", source_type="integer"),
                Column(kind="kept", sync="mail", final="email", type="text", source_type="text"),
                Column(kind="kept", sync="born", final="born", type="date", source_type="date"),
                Column(kind="landing", sync="cents", final="bg_l_cents", type="integer",
                       source_type="integer"),
                Column(kind="computed", sync="bg_c_cents", final="cents", type="numeric"),
                Column(kind="dropped", sync="fax", final="fax", type="text"),
                Column(kind="new", sync="tier", final="tier", type="text"),
            ],
        ),
        Table(sync=Name("public", "same"), final=Name("public", "same"), columns=[]),
    ],
    dropped=[Name("old", "rests")],
    warnings=["trigger stamp of customers does not fire for the file's UPDATE"],
    not_common=["clients.tier is only in the new shape"],
)  # fmt: skip
SWITCH = SwitchRecord(
    job="20261123-0000", attempt=7, at=EPOCH, connections_cut=2,
    direction="blue->green", window_ms=43.0, phases_ms={"pause": 3.0, "marker": 12.5},
    failed_transactions=0, baseline_p50_ms=1.2, baseline_p99_ms=4.0, longest_ms=71.0,
    samples=((-2000.0, 1.1, True), (-5.0, 71.0, True), (2000.0, 1.3, False)),
)  # fmt: skip


@pytest.fixture
def body() -> dict[str, object]:
    world = World()
    job = world.submit()
    world.store.set_step(job, "validate", StepState.DONE, ended_at=EPOCH + timedelta(seconds=1.5))
    world.store.end(job, Outcome.COMPLETED, "all is well")
    world.store.learn(
        job,
        compare_rows={"tables": 9, "rows_compared": 12_345, "rows_different": 0,
                      "columns_not_compared": ["customers.fax"], "at": EPOCH.isoformat()},
        verify_rollback_point={"path": "/b/p.sql.zst", "scope": "affected", "sha256": "ab",
                               "rows": 7},
        create_green={"fork_lsn": "0/1", "seconds_to_writable": 0.62},
        check_statements={"statements": 31, "set_aside": ["SELECT mail (no such column)"]},
        rehearse={"mapping": MAPPING.model_dump(mode="json"), "run_as": "app"},
    )  # fmt: skip
    return report_document(world.store.job(job), world.store.steps(job), [SWITCH])


def test_the_report_has_every_promised_key(body: dict) -> None:
    assert {"job", "type", "outcome", "startedAt", "endedAt", "steps", "switches", "comparison",
            "rollbackPoint", "mapping"} <= set(body)  # fmt: skip
    assert {"name", "owner", "seconds", "attempts"} <= set(body["steps"][0])
    assert body["steps"][0]["seconds"] == 1.5
    assert body["switches"] == [
        {
            "direction": "blue->green",
            "failedTransactions": 0,
            "baselineMs": {"p50": 1.2, "p99": 4.0},
            "longestMs": 71.0,
            "windowMs": 43.0,
            "phasesMs": {"pause": 3.0, "marker": 12.5},
            "connectionsCut": 2,
            "at": EPOCH.isoformat(),
        }
    ]
    assert body["comparison"]["rowsCompared"] == 12_345
    assert body["comparison"]["columnsNotCompared"] == ["customers.fax"]
    assert body["rollbackPoint"]["verified"] is True
    assert body["secondsToWritableGreen"] == 0.62
    assert body["greenBy"] is None, "preflight left nothing with this job"


def test_steps_that_never_began_are_no_part_of_the_report(body: dict) -> None:
    assert [step["name"] for step in body["steps"]] == ["validate"]


def test_what_users_of_both_shapes_must_know_is_said(body: dict) -> None:
    assert body["mappingNotes"] == [*MAPPING.warnings, *MAPPING.not_common]
    assert all(f"- {note}" in markdown(body) for note in body["mappingNotes"])


def test_the_mapping_says_only_what_changed() -> None:
    clients, rests = mapping_document(MAPPING)
    assert clients["change"] == (
        "renamed to clients, id widened from integer to bigint, mail renamed to email, "
        "cents computed from integer, fax dropped, tier added (text)"
    )
    assert rests == {
        "table": "old.rests", "to": "old.rests", "change": "dropped by the file", "columns": [],
    }  # fmt: skip


def test_markdown_tells_the_switch_and_the_proof(body: dict) -> None:
    text = markdown(body)
    assert "| blue->green | 0 | 71.0 ms | 1.2 / 4.0 ms | 43.0 ms |" in text
    assert "Compared 12,345 rows in 9 tables: 0 different." in text
    assert "verified by restoring it" in text


def test_what_was_not_measured_is_said_to_be_so(body: dict) -> None:
    body["switches"][0]["failedTransactions"] = None
    assert "| blue->green | not measured |" in markdown(body)


def test_the_picture_has_a_dot_per_probe_and_marks_what_failed() -> None:
    dots = [dot.get("class") for dot in ElementTree.fromstring(overview(SWITCH)).iter("circle")]
    assert dots == ["ok", "ok", "failed"]


def test_the_close_up_marks_every_phase_and_shows_what_the_pause_held() -> None:
    svg = ElementTree.fromstring(close_up(SWITCH))
    bands = [band.findtext("title") for band in svg.iter("rect")]
    assert bands == ["pause 3.0 ms", "marker 12.5 ms"]
    held = [line for line in svg.iter("line") if line.get("class") == "held"]
    assert len(held) == len(list(svg.iter("circle"))) == 1


def test_a_phase_that_runs_beside_others_takes_no_time_of_its_own() -> None:
    switch = replace(SWITCH, phases_ms={"pause": 3.0, "prepare_old": 9.0, "commit": 1.0})
    assert [(phase.name, phase.begin_ms) for phase in phases_of(switch)] == [
        ("pause", 0.0), ("commit", 3.0),
    ]  # fmt: skip


def test_a_terminal_sees_the_stall_and_the_phases(body: dict) -> None:
    lines = text_picture(SWITCH)
    assert max(map(len, lines)) <= 90
    assert any(line.strip().startswith("71.0 ms |") for line in lines)
    axis = next(line for line in lines if "P=" in line)
    assert axis.index("P") < axis.index("R")
    assert any("marker" in line and "12.5 ms" in line for line in lines)
    assert "\n".join(lines) in markdown(body, [SWITCH])


def test_a_switch_without_probes_has_no_picture(body: dict) -> None:
    switch = replace(SWITCH, samples=())
    assert "No probe was running" in page(body, [switch])
    assert "```" not in markdown(body, [switch])


def test_the_page_is_whole_and_escapes_what_users_wrote(body: dict) -> None:
    html = page({**body, "file": "<b>.sql"}, [SWITCH])
    assert html.startswith("<!doctype html>")
    assert "<b>.sql" not in html
    assert "<svg" in html


def test_the_statements_that_were_set_aside_are_named(body: dict[str, object]) -> None:
    assert body["statements"] == {
        "recorded": True, "counted": 31, "broken": [], "slower": [],
        "setAside": ["SELECT mail (no such column)"],
    }  # fmt: skip
    text = markdown(body)
    assert "- Tried 31 live statements on the final shape." in text
    assert "  - Fails there, and its sender knows another: `SELECT mail (no such column)`" in text

"""Records become documents with promised names, and lines that say what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from producer import render
from producer.client import View
from producer.exit_codes import ExitCode
from shared.domain.migration import Outcome, StepState
from tests.support.fakes import EPOCH
from tests.unit.producer.test_client import World

NOW = EPOCH + timedelta(seconds=60)


@pytest.fixture
def world() -> World:
    return World()


def test_the_status_document_has_the_promised_keys(world: World) -> None:
    job = world.submit()
    world.store.set_step(job, "validate", StepState.DONE, ended_at=NOW)
    body = render.status_document(world.client.look(job))
    assert {"job", "phase", "step", "progress", "outcome", "steps"} <= set(body)
    assert body["job"] == job
    assert body["outcome"] is None
    assert body["steps"][0]["name"] == "validate"
    assert body["steps"][0]["state"] == "done"
    assert body["progress"] == pytest.approx(1 / 22, abs=0.001)


def test_a_running_step_counts_with_the_part_it_has_done(world: World) -> None:
    job = world.submit()
    world.store.set_step(job, "validate", StepState.RUNNING, progress=0.5)
    assert render.progress(world.client.look(job)) == pytest.approx(1 / 44, abs=0.001)


def test_the_time_left_follows_from_the_pace(world: World) -> None:
    job = world.submit()
    world.store.set_step(job, "catch_up", StepState.RUNNING, progress=0.25, started_at=EPOCH)
    step = next(step for step in world.store.steps(job) if step.name == "catch_up")
    assert render.remaining_s(step, EPOCH + timedelta(seconds=10)) == pytest.approx(30)
    window = replace(step, name="hold_rollback_window")
    assert render.remaining_s(window, EPOCH + timedelta(seconds=10)) is None
    assert "30 s left" in render.step_line(step, EPOCH + timedelta(seconds=10))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.4, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert render.duration(seconds) == words


def test_only_what_changed_is_said(world: World) -> None:
    job = world.submit()
    first = world.client.look(job)
    assert list(render.changes(None, first, NOW)) == [render.headline(first.job)]
    assert list(render.changes(first, first, NOW)) == []
    world.store.set_step(job, "validate", StepState.RUNNING, sentence="reading")
    second = world.client.look(job)
    [line] = render.changes(first, second, NOW)
    assert "validate" in line
    assert "reading" in line


def test_figures_in_a_sentence_alone_are_no_news(world: World) -> None:
    job = world.submit()
    world.store.set_step(job, "catch_up", StepState.RUNNING, sentence="lag 12 kB")
    first = world.client.look(job)
    world.store.set_step(job, "catch_up", StepState.RUNNING, sentence="lag 9 kB")
    assert list(render.changes(first, world.client.look(job), NOW)) == []


def test_an_open_window_says_both_ways_out(world: World) -> None:
    job = world.submit()
    first = world.client.look(job)
    world.store.set_step(job, "hold_rollback_window", StepState.RUNNING)
    said = "\n".join(render.changes(first, world.client.look(job), NOW))
    assert f"bluegreen finish {job}" in said
    assert f"bluegreen rollback {job}" in said
    assert "traffic is on green" in said


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ExitCode.WAITING_FOR_APPROVAL, "bluegreen approve"),
        (ExitCode.STILL_RUNNING, "bluegreen watch"),
        (ExitCode.INTERRUPTED, "goes on without you"),
    ],
)
def test_the_last_line_says_what_to_do(world: World, code: ExitCode, words: str) -> None:
    view = world.client.look(world.submit())
    assert words in render.closing_line(view, code)


def test_an_end_that_needs_a_person_says_where_to_look(world: World) -> None:
    job = world.submit()
    world.store.end(job, Outcome.NEEDS_OPERATOR, "blue is lost")
    line = render.closing_line(world.client.look(job), ExitCode.NEEDS_OPERATOR)
    assert "needs operator: blue is lost" in line
    assert f"bluegreen status {job}" in line


def test_status_lines_say_how_to_approve(world: World) -> None:
    job = world.submit(hold=True)
    world.store.set_step(job, "hold_for_approval", StepState.RUNNING)
    view = world.client.look(job)
    assert isinstance(view, View)
    assert list(render.status_lines(view, NOW))[-1].strip() == (
        f"waiting for `bluegreen approve {job}`"
    )

"""Forward is `is_done`, else `do`, then `is_done` must hold; and what a dead worker had learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared import runner
from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import Done, Pending

FACTS = {"fork_lsn": "0/1", "seconds_to_writable": 0.5}


class Deed:
    """A step on a world of one flag."""

    def __init__(self, name: str = "catch_up", *, done: bool = False, works: bool = True) -> None:
        self.name = name
        self.done = done
        self.works = works
        self.deeds: list[str] = []

    def is_done(self, job: Job) -> bool:
        return self.done

    def do(self, job: Job) -> Done | Pending:
        self.deeds.append("do")
        self.done = self.works
        return Done("done now", FACTS)

    def undo(self, job: Job) -> Done | Pending:
        self.deeds.append("undo")
        self.done = False
        return Done("undone")


class Remembering(Deed):
    def recall(self, job: Job) -> Mapping[str, Any]:
        return {"recalled": True}


def job(**facts: dict[str, Any]) -> Job:
    return Job(
        id="j", database="app", kind=Kind.RISKY, file_name="f.sql", sql="", options=RunOptions(),
        source=Colour.BLUE, epoch=1, attempt=1, facts=facts,
    )  # fmt: skip


def test_a_step_that_is_not_done_is_done_and_checked():
    step = Deed()
    assert runner.forward(step, job()) == Done("done now", FACTS)
    assert step.deeds == ["do"]


def test_a_step_that_says_done_while_the_world_says_not_is_broken():
    with pytest.raises(Broken, match="the world does not show it"):
        runner.forward(Deed(works=False), job())


def test_a_step_that_is_done_already_touches_nothing_and_keeps_its_facts():
    step = Deed(done=True)
    assert runner.forward(step, job(catch_up=FACTS)).facts == FACTS
    assert runner.forward(step, job()).facts == {}
    assert step.deeds == []


def test_facts_that_a_dead_worker_took_along_are_recalled_from_the_world():
    step = Remembering("create_green", done=True)
    assert runner.forward(step, job()).facts == {"recalled": True}
    assert step.deeds == []


def test_facts_that_cannot_be_recalled_are_told_by_doing_it_once_more():
    step = Deed("create_green", done=True)
    assert runner.forward(step, job()).facts == FACTS
    assert step.deeds == ["do"]


def test_back_is_undo():
    step = Deed(done=True)
    runner.backward(step, job())
    assert (step.done, step.deeds) == (False, ["undo"])


def test_a_step_that_only_looks_is_asked_once_and_never_found_done():
    step = Deed(done=True)
    step.only_looks = True
    assert runner.forward(step, job()) == Done("done now", FACTS)
    assert runner.forward(step, job()) == Done("done now", FACTS)
    assert step.deeds == ["do", "do"]

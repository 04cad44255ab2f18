"""A deed that ends while it is looked at is not begun again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import DeedState, Node, Pending, Session
from workers.replicator import standby


class GoesOn(Exception):
    """The server is being made a standby of what the deed left."""


@dataclass
class EndingDriver:
    """Its rewind runs until the look before `ends_at`, and has succeeded from that one on."""

    ends_at: int
    looks: int = 0
    did: list[str] = field(default_factory=list)

    def look_at_deed(self, name: str) -> DeedState:
        self.looks += 1
        if not name.startswith("rewind"):
            return DeedState("absent")
        return DeedState("running" if self.looks < self.ends_at else "succeeded")

    def is_running(self) -> bool:
        raise GoesOn

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.did.append(name)


@dataclass
class OneNode:
    colour: Colour
    driver: EndingDriver

    def replication_conninfo(self, **_: object) -> str:
        return ""


class NoSession:
    def execute(self, *_: object) -> None: ...

    def row(self, *_: object) -> tuple[object, ...]:
        return (0, 0, 0, True, 0.0)


@pytest.mark.parametrize("ends_at", range(1, 6))
def test_a_rewind_that_ends_between_two_looks_is_not_begun_anew(ends_at: int) -> None:
    driver = EndingDriver(ends_at)
    node, active = (OneNode(colour, driver) for colour in (Colour.BLUE, Colour.GREEN))
    job = Job(id="j", database="app", kind=Kind.RISKY, file_name="f.sql", sql="",
              options=RunOptions(), source=Colour.BLUE, epoch=0, attempt=1)  # fmt: skip
    for _ in range(ends_at):
        try:
            answer = standby.make_standby(
                cast("Node", node), cast("Node", active), cast("Session", NoSession()), job,
                diverged=True, prefer="rewind",
            )  # fmt: skip
        except GoesOn:
            break
        assert isinstance(answer, Pending)
        assert driver.did == [], "a deed that runs is left alone"
    else:
        raise AssertionError("a rewind that has succeeded is not seen")
    assert driver.did == []

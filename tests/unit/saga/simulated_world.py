"""What the steps of a simulated job have done to the world, and what must never be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from shared.saga.events import Answer, Direction
from shared.saga.state import Command

Effect = Literal["absent", "half", "there"]


@dataclass
class World:
    """What the steps have done, and what must never be."""

    effects: dict[str, Effect]
    pivots: frozenset[str]
    commits: frozenset[str]
    opened_by: dict[str, str]
    undone_after_pivot: bool = False
    pivot_touched: bool = False

    def run(self, command: Command, draw: Random, trouble: float) -> Answer | None:
        """One look of a worker; None when it died, somewhere inside."""
        forward = command.direction is Direction.FORWARD
        step = command.step
        if forward and step in self.pivots:
            self.pivot_touched = True
        if not forward and self.pivot_touched:
            self.undone_after_pivot = True
        if not forward and step in self.commits and self.effects[step] == "there":
            return replace(_answer(command, "failed"), family="refused", said="it has committed")
        if draw.random() < trouble:
            half: Effect = "there" if step in self.commits else "half"
            self.effects[step] = draw.choice((half, self.effects[step]))
            return None if draw.random() < 0.3 else self._trouble(command, draw)
        self.effects[step] = "there" if forward else "absent"
        return _answer(command, "done")

    def _trouble(self, command: Command, draw: Random) -> Answer:
        if draw.random() < 0.4:
            return _answer(command, "pending")
        family = draw.choice(("transient", "away", "broken", "refused"))
        if command.direction is Direction.BACKWARD and command.step in self.commits:
            family = "transient"  # a refusal there says that it has committed
        if family == "refused" and command.step in ("validate", "preflight"):
            self.effects[command.step] = "absent"
        return replace(_answer(command, "failed"), family=family, said=family)

    @property
    def left_behind(self) -> list[str]:
        return [step for step, effect in self.effects.items() if effect != "absent"]


def _answer(command: Command, kind: Literal["pending", "done", "failed"]) -> Answer:
    return Answer(
        step=command.step, direction=command.direction, attempt=command.attempt,
        epoch=command.epoch, kind=kind, look_again_s=0.5,
    )  # fmt: skip

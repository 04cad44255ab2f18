"""Agents whose steps only touch files: the shell under test, without a database to migrate.

A step does what `world/plan/<step>.json` says: `looks` (how often it is pending), `fail` (a
family; with `fail_times` only so often), `undo_fails` (how often), `sleep_s`, `die` (kill -9 of its
own worker, that many times).
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.adapters.queue.celery_shell import make_worker
from shared.domain.errors import FAMILIES, Transient
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Done, Pending, Step
from shared.saga.recipes import MINUTE, Recipe, RecipeStep
from shared.settings import Settings

NEVER_ENDS = 1_000_000


def _step(name: str, owner: str, **more: Any) -> RecipeStep:
    about: dict[str, Any] = {
        "limit_s": MINUTE, "attempts": 2, "undone_by": "taking it away", "backoff_s": 0.05,
    }  # fmt: skip
    return RecipeStep(name=name, owner=owner, **(about | more))


RECIPE: Recipe = (
    _step("look", "validator", looks_only=True),
    _step("one", "replicator", changes=True),
    _step("two", "validator"),
    _step("hold_for_approval", "coordinator", waits=True, ends_on="approve", only_if="hold"),
    _step("three", "replicator", holds_until="three"),
    _step("four", "validator"),
    _step("last", "replicator", role="pivot", attempts=3),
    _step("after", "validator", role="retriable", attempts=3),
)
RECIPES = dict.fromkeys(Kind, RECIPE)


@dataclass(frozen=True)
class ToyStep:
    name: str  # type: ignore[misc]  # a field here, a class variable in real steps
    world: Path

    def is_done(self, job: Job) -> bool:
        return (self.world / self.name).exists()

    def do(self, job: Job) -> Done | Pending:
        plan = self._plan()
        self._log(job, "do")
        time.sleep(plan.get("sleep_s", 0))
        if self._count("died") < plan.get("die", 0):
            self._count("died", add=1)
            os.kill(os.getpid(), signal.SIGKILL)
        if self._count("looks", add=1) <= plan.get("looks", 0):
            return Pending(f"look {self._count('looks')}", look_again_s=plan.get("every_s", 0.05))
        family = plan.get("fail")
        if family and self._count("failed", add=1) <= plan.get("fail_times", NEVER_ENDS):
            raise FAMILIES[family](f"{self.name} was told to fail", remedy="tell it otherwise")
        (self.world / self.name).touch()
        return Done(f"{self.name} stands")

    def undo(self, job: Job) -> Done | Pending:
        self._log(job, "undo")
        if self._count("undo-failed") < self._plan().get("undo_fails", 0):
            self._count("undo-failed", add=1)
            raise Transient(f"{self.name} cannot be undone yet")
        (self.world / self.name).unlink(missing_ok=True)
        return Done(f"{self.name} is gone")

    def _plan(self) -> dict[str, Any]:
        path = self.world / "plan" / f"{self.name}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _log(self, job: Job, deed: str) -> None:
        with (self.world / "log").open("a") as log:
            log.write(f"{deed} {self.name}\n")

    def _count(self, what: str, *, add: int = 0) -> int:
        path = self.world / "plan" / f"{self.name}.{what}"
        count = (int(path.read_text()) if path.exists() else 0) + add
        path.write_text(str(count))
        return count


def steps_of(agent: str, settings: Settings) -> Sequence[Step]:
    world = settings.state_dir / "world"
    return [ToyStep(step.name, world) for step in RECIPE if step.owner == agent]


if agent := os.environ.get("TOY_AGENT"):
    app = make_worker(agent, lambda settings: steps_of(agent, settings))

"""Drive one step as the runner does, on the real world, with a limit on every wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import Done, Pending, Step
from shared.runner import backward, forward


def a_job(kind: Kind = Kind.RISKY, *, sql: str = "", **changed: Any) -> Job:
    """A job from blue to green; `changed` are fields of Job, `options` a dict of RunOptions."""
    options = RunOptions(**changed.pop("options", {}))
    fields: dict[str, Any] = {
        "id": "20261123-7f3a", "database": "app", "file_name": "f.sql", "source": Colour.BLUE,
        "epoch": 1, "attempt": 1,
    }  # fmt: skip
    return Job(kind=kind, sql=sql, options=options, **(fields | changed))


def finished(look: Callable[[], Done | Pending], *, limit_s: float = 60) -> Done:
    deadline = time.monotonic() + limit_s
    while True:
        answer = look()
        if isinstance(answer, Done):
            return answer
        assert time.monotonic() < deadline, f"still pending after {limit_s} s: {answer.sentence}"
        time.sleep(0.05)


def done(step: Step, job: Job, *, limit_s: float = 60) -> Done:
    """Forward until it is done, by the runner's law."""
    return finished(lambda: forward(step, job), limit_s=limit_s)


def undone(step: Step, job: Job, *, limit_s: float = 60) -> Done:
    return finished(lambda: backward(step, job), limit_s=limit_s)

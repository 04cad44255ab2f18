"""Run one step forward or back, checked before and after. Knows no Celery and no recipe.

Law: forward is `is_done`, else `do`, then `is_done` must hold; back is `undo`, then it must not.
A step that finds its guarantee already true answers done without touching the world again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.ports import Done, Pending, Recalling, Step


def forward(step: Step, job: Job) -> Done | Pending:
    """Bring the step's guarantee about, or say how far it is.

    Raises whatever the step raises, and Broken when `do` said done and the world says not.
    """
    answer = step.do(job) if not step.is_done(job) else already_done(step, job)
    if isinstance(answer, Done) and not step.is_done(job):
        raise Broken(
            f"{step.name} said it was done, but the world does not show it; undoing from here"
        )
    return answer


def already_done(step: Step, job: Job) -> Done:
    """Done, with the facts that the earlier run left or should have left before it died."""
    facts: Mapping[str, Any] | None = job.facts.get(step.name)
    if facts is None and isinstance(step, Recalling):
        facts = step.recall(job)
    return Done(f"{step.name} was done already", facts or {})


def backward(step: Step, job: Job) -> Done | Pending:
    """Bring back what was before the step, or say how far it is."""
    return step.undo(job)

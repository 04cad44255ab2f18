"""Run one step forward or back, checked before and after. Knows no Celery and no recipe.

Law: forward is `is_done`, else `do`, then `is_done` must hold; back is `undo`.
A step that finds its guarantee already true answers done without touching the world again. Where
a worker died between the deed and the answer, its facts are recalled, or told by `do` once more.
A step that only looks has no guarantee to find: its answer is the look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.errors import Broken
from shared.domain.facts import leaves_facts
from shared.domain.migration import Job
from shared.ports import Done, Looking, Pending, Recalling, Step


def forward(step: Step, job: Job) -> Done | Pending:
    """Bring the step's guarantee about, or say how far it is.

    Raises whatever the step raises, and Broken when `do` said done and the world says not.
    """
    if isinstance(step, Looking):
        return step.do(job)
    if step.is_done(job):
        facts = known_facts(step, job)
        if facts is not None:
            return Done("nothing was left to do", facts)
    answer = step.do(job)
    if isinstance(answer, Done) and not step.is_done(job):
        raise Broken(
            f"{step.name} said it was done, but the world does not show it; undoing from here"
        )
    return answer


def known_facts(step: Step, job: Job) -> Mapping[str, Any] | None:
    """What an earlier run of a step that is done has left; None when only `do` can tell."""
    if step.name in job.facts:
        return job.facts[step.name]
    if isinstance(step, Recalling):
        return step.recall(job)
    return None if leaves_facts(step.name) else {}


def backward(step: Step, job: Job) -> Done | Pending:
    """Bring back what was before the step, or say how far it is."""
    return step.undo(job)

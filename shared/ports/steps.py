"""What a step is, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from shared.domain.migration import Job


@dataclass(frozen=True, slots=True)
class Done:
    """The step's guarantee holds. `facts` are kept for later steps, `sentence` is for people."""

    sentence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """Begun, not finished: look again after `look_again_s`. `progress` is 0 to 1 where known."""

    sentence: str
    progress: float | None = None
    look_again_s: float = 0.5


class Step(Protocol):
    """One step of a recipe, with its way back. All three may be repeated, and may die half way.

    `do` starts what is not started, looks at what is, and answers within seconds. `undo` brings
    back the state before `do` from any half state, also when `do` never ran.
    """

    name: ClassVar[str]

    def is_done(self, job: Job) -> bool:
        """Ask the world (catalog, slot, proxy), never a flag of ours."""
        ...

    def do(self, job: Job) -> Done | Pending: ...

    def undo(self, job: Job) -> Done | Pending: ...


@runtime_checkable
class Looking(Protocol):
    """A step that changes nothing: what `do` answers is a look of this moment, so it is never found
    done from before, and nothing is asked again after it."""

    only_looks: ClassVar[bool]


@runtime_checkable
class Recalling(Protocol):
    """A step that can read its facts from the world again.

    A worker may die between the deed and the answer; the repeat then finds the step done, and
    must not leave later steps without what it learned.
    """

    def recall(self, job: Job) -> Mapping[str, Any]: ...

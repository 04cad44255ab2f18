"""Where a saga stands: one immutable value, and what follows from it without asking anyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.kinds import Outcome, StepState
from shared.saga.events import Direction
from shared.saga.recipes import CUTOVER, Recipe, RecipeStep


class Phase(StrEnum):
    REQUESTED = "requested"
    FORWARD = "forward"
    BACKWARD = "backward"
    STUCK = "stuck"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"


GUARANTEES = {
    Phase.REQUESTED: "the job is written down; nothing was touched",
    Phase.FORWARD: "one step is under way, and all before it hold",
    Phase.BACKWARD: "one step is being undone; the point of no return was never sent",
    Phase.STUCK: "nothing moves until a person decides",
    Phase.COMPLETED: "every step holds, and nothing of ours is left behind",
    Phase.ROLLED_BACK: "every step that began is undone",
    Phase.REFUSED: "what was asked is wrong; nothing was changed",
}
ACTIVE = frozenset({Phase.FORWARD, Phase.BACKWARD})
OUTCOMES = {
    Phase.COMPLETED: Outcome.COMPLETED,
    Phase.ROLLED_BACK: Outcome.ROLLED_BACK,
    Phase.REFUSED: Outcome.REFUSED,
    Phase.STUCK: Outcome.NEEDS_OPERATOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaState:
    job: str
    recipe: Recipe
    keep: bool = False
    """--no-rollback: a failure leaves the servers as they are."""
    phase: Phase = Phase.REQUESTED
    at: int = 0
    """Index of the step under way."""
    furthest: int = 0
    """Index of the last step that ever began: undo begins there."""
    direction: Direction = Direction.FORWARD
    """Of the attempt under way; kept while stuck."""
    attempt: int = 0
    granted: int = 0
    """The highest attempt that may begin before the step is given up."""
    epoch: int = 0
    """Grows with every attempt; the same for all looks at it."""
    began_at: datetime | None = None
    """Start of this attempt."""
    due_at: datetime | None = None
    """When the command that is out, or the next look, is due."""
    abort_asked_by: str = ""
    """Who asked to abort while a step was under way; honoured at the next answer."""
    reopening: bool = False
    """Going back only as far as traffic is held (--no-rollback)."""
    back_to: int | None = None
    """Index of the step to go on from when what comes after it is undone; None: undo it all."""
    cause: str = ""
    """Why it does not go forward any more, for the last sentence."""
    remedy: str = ""
    """What a person can do about that cause."""

    @property
    def step(self) -> RecipeStep:
        return self.recipe[self.at]

    @property
    def rest_in_sync(self) -> int | None:
        """Index of the step where both sides may rest in sync, once the cutover is done and can
        still be undone; None before and behind that."""
        names = [step.name for step in self.recipe]
        rests = [index for index, step in enumerate(self.recipe) if step.rests_in_sync]
        if not rests or self.past_pivot or not self.going_forward or CUTOVER not in names:
            return None
        return rests[0] if self.at > names.index(CUTOVER) else None

    @property
    def going_forward(self) -> bool:
        return self.direction is Direction.FORWARD

    @property
    def past_pivot(self) -> bool:
        """No way back: the pivot was sent, or a step that commits is done."""
        return any(step.role in ("pivot", "retriable") for step in self.begun) or any(
            step.role == "commits" for step in self.recipe[: self.furthest]
        )

    @property
    def begun(self) -> Recipe:
        """The steps that ever began, in order; none before the job was accepted."""
        return () if self.phase is Phase.REQUESTED else self.recipe[: self.furthest + 1]

    @property
    def held(self) -> tuple[int, ...]:
        """Indexes of the begun steps behind which traffic may still be held."""
        names = [step.name for step in self.recipe]
        return tuple(
            index
            for index, step in enumerate(self.begun)
            if step.holds_until and self.furthest <= names.index(step.holds_until)
        )

    @property
    def undone_next(self) -> int | None:
        """Index of the step to undo after this one; None when this is the last."""
        if self.reopening:
            return max((index for index in self.held if index < self.at), default=None)
        return self.at - 1 if self.at > 0 else None

    @property
    def outcome(self) -> Outcome | None:
        return OUTCOMES.get(self.phase)

    @property
    def limit_s(self) -> float:
        return self.step.limit_s if self.going_forward else self.step.undo_limit_s

    @property
    def late_at(self) -> datetime | None:
        """When the attempt under way is over its limit; None while nothing is under way."""
        if self.phase not in ACTIVE or self.began_at is None:
            return None
        return self.began_at + timedelta(seconds=self.limit_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run or undo one step: an order that acts only while the control database says it is due."""

    job: str
    step: str
    owner: str
    direction: Direction
    attempt: int
    epoch: int
    due_at: datetime

    @property
    def task_id(self) -> str:
        """The same for every look at one attempt, so that Flower shows one row."""
        return f"{self.job}/{self.step}/{self.attempt}/{self.direction}"


def outstanding(state: SagaState) -> Command | None:
    """The one command that is out: it follows from the state, so a lost one can be sent again."""
    if state.phase not in ACTIVE or state.due_at is None:
        return None
    return Command(
        job=state.job,
        step=state.step.name,
        owner=state.step.owner,
        direction=state.direction,
        attempt=state.attempt,
        epoch=state.epoch,
        due_at=state.due_at,
    )


def step_states(state: SagaState) -> tuple[StepState, ...]:
    """The state of each step of the recipe, for people: it follows from where the saga stands."""
    return tuple(_step_state(state, index) for index in range(len(state.recipe)))


def _step_state(state: SagaState, index: int) -> StepState:
    if state.phase is Phase.REQUESTED or index > state.furthest:
        return StepState.PENDING
    if state.phase is Phase.COMPLETED:
        return StepState.DONE
    if state.phase is Phase.ROLLED_BACK:
        return _given_up(state, index)
    if index == state.at:
        return StepState.RUNNING if state.phase in ACTIVE else StepState.FAILED
    if index < state.at:
        return StepState.DONE
    return StepState.PENDING if state.going_forward else _given_up(state, index)


def _given_up(state: SagaState, index: int) -> StepState:
    """A step that failed is shown as failed also after its undo; the others as undone."""
    failed = index == state.furthest and not state.abort_asked_by
    return StepState.FAILED if failed else StepState.UNDONE

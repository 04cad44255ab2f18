"""A seeded random world around the machine: workers that fail and die, messages lost and repeated.

The world knows nothing of the machine's mind: each step has an effect that is absent, half there
or there. Whatever is drawn, at the end the world must fit what the saga says of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from shared.saga.events import Accepted, Answer, Asked, SagaEvent, Steering
from shared.saga.machine import Decision, advance, over_limit
from shared.saga.recipes import MAINTENANCE, RISKY, SAFE, RecipeStep
from shared.saga.state import Command, Phase, SagaState, outstanding
from shared.saga.steering import ENDED, refusal
from shared.saga.transitions import Do
from tests.unit.saga.simulated_world import World

Advance = Callable[[SagaState, SagaEvent, datetime], Decision]
T0 = datetime(2026, 11, 23, tzinfo=UTC)
MOST_TURNS = 3000


@dataclass
class Simulation:
    seed: int
    advance: Advance = advance
    rows: set[object] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.draw = Random(self.seed)
        self.trouble = self.draw.choice((0.0, 0.05, 0.2, 0.5))
        recipe = self.draw.choice((SAFE, RISKY, MAINTENANCE))
        self.state = SagaState(
            job="20261123-0000", recipe=recipe, keep=self.draw.random() < 0.3,
            epoch=self.draw.randrange(5),
        )  # fmt: skip
        self.world = World(
            {step.name: "absent" for step in recipe},
            frozenset(step.name for step in recipe if step.role in ("pivot", "retriable")),
            frozenset(step.name for step in recipe if step.role == "commits"),
            {step.name: step.holds_until for step in recipe if step.holds_until},
        )
        self.now = T0
        self.sent: list[Command] = []
        """Every command that ever was on the wire: any may be delivered again."""
        self.given: list[Answer] = []
        """Every answer that ever was given: any may be read again."""
        self.unread: list[Answer] = []
        self.answered = False
        """The control database knows that the command that is out has its answer."""

    def run(self) -> SagaState:
        """Until it ends. Raises AssertionError with the seed where a law is broken."""
        for _ in range(MOST_TURNS):
            if self.state.phase in ENDED:
                return self.state
            self.turn()
        if self.state.phase is not Phase.STUCK:
            raise AssertionError(f"seed {self.seed}: no end in {MOST_TURNS} turns")
        return self.state

    def turn(self) -> None:
        """One thing happens."""
        self.now += timedelta(seconds=self.draw.choice((0, 0.1, 1, 30, 3600)))
        match self.draw.choices(
            ("work", "stale answer", "repeated command", "person", "crash", "clock"),
            (10, 2, 1, 8 if self._half_way_back else 1, 1, 1),
        )[0]:
            case "work":
                self._work()
            case "stale answer" if self.given:
                self.decide(self.draw.choice(self.given))
            case "repeated command" if self.sent:
                self._deliver(self.draw.choice(self.sent))
            case "person":
                self._person()
            case "crash":
                self._crash()
            case "clock":
                late = over_limit(self.state, self.now)
                if late is not None:
                    self.decide(late)

    @property
    def _half_way_back(self) -> bool:
        """Being undone as far as asked, and no further."""
        partly = self.state.reopening or self.state.back_to is not None
        return partly and self.state.phase is Phase.BACKWARD

    def decide(self, event: SagaEvent) -> None:
        decision = self.advance(self.state, event, self.now)
        if decision.row is None:
            assert decision.state == self.state, self._broken("what is ignored changes nothing")
        self.state = decision.state
        self.answered = self.answered and decision.command is None
        self.rows.add(decision.row)
        if decision.row is not None and decision.row.does is Do.REST:
            self._check_rest()
        self.check()

    def check(self) -> None:
        """The laws, on the world."""
        phase = self.state.phase
        assert not self.world.undone_after_pivot, self._broken("nothing is undone after the pivot")
        if phase is Phase.ROLLED_BACK:
            assert not self.world.left_behind, self._broken("rolled back leaves nothing behind")
        if phase is Phase.REFUSED:
            looked = [step.name for step in self.state.recipe if step.looks_only]
            left = [step for step in self.world.left_behind if step not in looked]
            assert not left, self._broken("refused has changed nothing")
        if phase is Phase.COMPLETED:
            released = [step.name for step in self.state.recipe if _is_released_by_another(step)]
            there = all(
                effect == "there"
                for name, effect in self.world.effects.items()
                if name not in released
            )
            assert there, self._broken("completed means that every effect is there")
        if phase is Phase.STUCK and self.state.keep and self.state.going_forward:
            assert not self._held(), self._broken("traffic is not held while a person decides")

    def _check_rest(self) -> None:
        """Both sides are in sync before the cutover: all up to there stands, nothing behind it."""
        names = [step.name for step in self.state.recipe]
        rest = names.index("hold_in_sync")
        assert self.state.at == self.state.furthest == rest, self._broken("it rests in sync")
        stands = [name for name in names if self.world.effects[name] == "there"]
        assert stands == names[: rest + 1], self._broken("it rests with all before the cutover")
        assert not self._held(), self._broken("at rest in sync no traffic is held")

    def _held(self) -> list[str]:
        """Steps that may hold traffic: begun, and what opens it again is not there."""
        effects = self.world.effects
        return [
            step for step, opened_by in self.world.opened_by.items()
            if effects[step] != "absent" and effects[opened_by] != "there"
        ]  # fmt: skip

    def _work(self) -> None:
        if self.state.phase is Phase.REQUESTED:
            self.decide(Accepted())
            return
        command = outstanding(self.state)
        if self.unread:
            self.decide(self.unread.pop(0))
            return
        if command is None:
            self._resume()
            return
        self.now = max(self.now, command.due_at)
        self.sent.append(command)
        if self.draw.random() < 0.9:  # else the message is lost, and sent again another time
            self._deliver(command)

    def _deliver(self, command: Command) -> None:
        """The worker's part: it acts only if exactly this is due."""
        out = outstanding(self.state)
        due = out is not None and replace(command, due_at=out.due_at) == out
        if not due or self.answered or (out is not None and out.due_at > self.now):
            return
        answer = self.world.run(command, self.draw, self.trouble)
        if answer is None:
            return
        self.given.append(answer)
        self.answered = True
        if self.draw.random() < 0.9:
            self.decide(answer)
        else:  # the coordinator reads it later
            self.unread.append(answer)

    def _person(self) -> None:
        """Asked while it made sense, or read only when it does not any more."""
        what: Steering = self.draw.choice(
            ("approve", "finish", "resume", "abort", "rollback", "keep-sync", "keep-sync", "pause")
        )
        if what == "approve" and not refusal(self.state, "withdraw"):
            what = "withdraw"  # where an approval counts, it may be taken back
        if self._half_way_back:
            what = "abort"  # a person changes her mind: seldom, and it must be tried
        senseless = bool(refusal(self.state, what)) and not self.state.past_pivot
        if self.draw.random() < (0.03 if senseless else 0.2):
            self.decide(Asked(what, "alice", self.now))

    def _resume(self) -> None:
        """A stuck job: mostly a person resumes it, and the trouble is over."""
        self.trouble = 0.0
        if not refusal(self.state, "keep-sync") and self.draw.random() < 0.5:
            self.decide(Asked("keep-sync", "alice", self.now))
        elif self.draw.random() < 0.5:
            self.decide(
                Asked(
                    self.draw.choice(("resume", "rollback", "finish", "keep-sync")),
                    "alice",
                    self.now,
                )
            )

    def _crash(self) -> None:
        """The coordinator dies before its transaction commits: it is as if nothing was read."""
        events: tuple[SagaEvent, ...] = (*self.given[-1:], Asked("abort", "alice", self.now))
        self.advance(self.state, self.draw.choice(events), self.now)

    def _broken(self, law: str) -> str:
        return f"seed {self.seed}: {law}; {self.state}; left behind {self.world.left_behind}"


def _is_released_by_another(step: RecipeStep) -> bool:
    """Its hold ends with a later step: whether it was also undone (--no-rollback) is the same."""
    return step.holds_until not in ("", step.name)

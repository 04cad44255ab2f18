"""The machine under hypothesis, which shrinks what it finds."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.saga.machine import over_limit
from tests.unit.saga.simulator import Simulation


class AnyJob(RuleBasedStateMachine):
    """What the simulator does at random, hypothesis does on purpose."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.simulation = Simulation(seed)

    def _draw(self, draw: Random) -> Simulation:
        self.simulation.draw = draw
        return self.simulation

    @rule(draw=st.randoms())
    def work(self, draw: Random) -> None:
        self._draw(draw)._work()

    @precondition(lambda self: self.simulation.given)
    @rule(draw=st.randoms())
    def stale_answer(self, draw: Random) -> None:
        self._draw(draw).decide(draw.choice(self.simulation.given))

    @precondition(lambda self: self.simulation.sent)
    @rule(draw=st.randoms())
    def repeated_command(self, draw: Random) -> None:
        self._draw(draw)._deliver(draw.choice(self.simulation.sent))

    @rule(draw=st.randoms())
    def person(self, draw: Random) -> None:
        self._draw(draw)._person()

    @rule(hours=st.sampled_from([0.1, 5, 13]))
    def clock(self, hours: float) -> None:
        self.simulation.now += timedelta(hours=hours)
        late = over_limit(self.simulation.state, self.simulation.now)
        if late is not None:
            self.simulation.decide(late)

    @invariant()
    def the_laws_hold(self) -> None:
        if hasattr(self, "simulation"):
            self.simulation.check()


AnyJob.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestAnyJob = AnyJob.TestCase

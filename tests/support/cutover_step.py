"""The cutover step as the proxy-agent composes it, with hand-made fakes for what it only tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.facts import Verdict
from shared.domain.messages import Event
from shared.domain.migration import Job
from shared.ports import SwitchRecord
from tests.support.cutover_switch import switch_of
from tests.support.cutover_world import World
from tests.support.steps import a_job
from workers.proxy_agent.companions import probes
from workers.proxy_agent.measured_switch import MeasuredSwitch
from workers.proxy_agent.recovery import Recovery
from workers.proxy_agent.steps.cutover import Cutover


@dataclass
class Kept:
    """The Switches port in memory."""

    records: list[SwitchRecord] = field(default_factory=list)

    def save(self, record: SwitchRecord) -> None:
        if all(kept.attempt != record.attempt for kept in self.records):
            self.records.append(record)

    def of_job(self, job: str) -> list[SwitchRecord]:
        return [record for record in self.records if record.job == job]


@dataclass
class Heard:
    """The Bus port in memory."""

    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        return []


def cutover_step(world: World, kept: Kept, heard: Heard, **changed: Any) -> Cutover:
    """`changed` are parts of the Switch."""
    settings = world.settings
    pooler, door = PgBouncer(settings), SymlinkDoor(settings)
    return Cutover(
        MeasuredSwitch(
            switch_of(world, **changed),
            probes(settings),
            {colour: node.cluster_name for colour, node in settings.nodes.items()},
            kept,
            heard,
        ),
        Recovery(addressed_nodes(settings, "bg_proxy"), pooler, door),
        partial(datetime.now, UTC),
    )


def cutover_job(number: int, *, rows_different: int = 0, at: str = "", **options: Any) -> Job:
    """A job from blue to green whose rows were compared just now."""
    verdict = Verdict(
        tables=2, rows_compared=100, rows_different=rows_different,
        at=at or datetime.now(UTC).isoformat(),
    )  # fmt: skip
    return a_job(
        id=f"20261123-{number:04x}", options={"max_stall_ms": 2000, **options},
        facts={Verdict.step: verdict.model_dump(mode="json")},
    )  # fmt: skip

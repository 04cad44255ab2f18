"""A pair whose cutovers reach green over a wire that can be cut, and the laws of every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.settings import Settings
from tests.support.cutover_switch import order, settled, switch_of
from tests.support.cutover_world import World, cutover_world
from tests.support.cuttable import Wire, wire_to
from tests.support.two_sides import TABLE, TwoSides
from tests.support.wait import until
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs

MAX_STALL_MS = 1000
NOISE_MS = 1000


@dataclass
class Pair:
    """A world whose cutovers reach green over a wire."""

    world: World
    wire: Wire
    settings: Settings

    @property
    def serving(self) -> Colour:
        return PgBouncer(self.settings).routed_to()

    @property
    def next(self) -> tuple[Way, Colour]:
        """Which way the next cutover goes, and from which side."""
        old = self.serving
        return (Way.FORWARD if old is Colour.BLUE else Way.BACK), old

    def run(
        self, at: Callable[[str], None] = lambda _: None, *, reaching: str = "", **changed: Any
    ) -> str:
        """`switched`, or what the attempt said; tries until a pause began, and where a point is
        named, until that was reached: a busy host makes attempts give up before it."""
        passed: list[str] = []

        def seen(point: str) -> None:
            passed.append(point)
            at(point)

        parts = {
            "nodes": addressed_nodes(self.settings, "bg_proxy"),
            "pooler": PgBouncer(self.settings),
            "door": SymlinkDoor(self.settings),
            "watchdog": watchdogs(self.settings),
            "at": seen,
            **changed,
        }
        way, old = self.next
        said = ""

        def tried() -> bool:
            nonlocal said
            try:
                switch_of(self.world, **parts).run(order(way, old, max_stall_ms=MAX_STALL_MS))
                said = "switched"
            except MigrationError as error:
                said = error.message
            return reaching in passed if reaching else bool(passed)

        until(tried, limit_s=40, what=f"a pause begins and comes to {reaching!r}")
        return said

    def run_cut_at(self, point: str) -> str:
        """The network to green is cut there, and mended when the attempt has ended."""
        try:
            return self.run(lambda here: self.wire.cut() if here == point else None, reaching=point)
        finally:
            self.wire.mend()

    def settled(self) -> str:
        return settled(self.settings)


@contextmanager
def wired_pair(major: int) -> Iterator[Pair]:
    """A world of its own, with what TwoSides writes to, and the wire in front of green."""
    with cutover_world(major) as world:
        for colour in Colour:
            with world.admin(colour) as admin:
                admin.execute(TABLE)
                admin.execute("GRANT ALL ON probe_of_sides, probe_of_sides_id_seq TO app")
        with wire_to(world.servers[Colour.GREEN].port) as wire:
            green = world.settings.nodes[Colour.GREEN].model_copy(update={"port": wire.port})
            nodes = {**world.settings.nodes, Colour.GREEN: green}
            yield Pair(world, wire, world.settings.model_copy(update={"nodes": nodes}))


@contextmanager
def watched(pair: Pair, *, may_fail: bool = False, count: int = 4) -> Iterator[Writers]:
    """Writers and probes around the fault; the laws are asked behind it."""
    world, old = pair.world, pair.serving
    before = world.journal(old)
    with (
        TwoSides({str(colour): world.application_at(colour) for colour in Colour}) as sides,
        Writers(world.application_dsn, count=count, first=len(before)) as writers,
    ):
        yield writers
        writers.until_acknowledged(40)
    serving = pair.serving
    left = world.journal(serving) - before
    assert writers.acknowledged <= left
    if not may_fail:
        assert writers.failed == []
        assert left == writers.acknowledged
        assert writers.longest_ms() < MAX_STALL_MS + 250 + NOISE_MS
    assert sides.turns() in ([str(old)], [str(old), str(serving)])
    assert not PgBouncer(pair.settings).is_paused()
    assert SymlinkDoor(pair.settings).routed_to() is serving

"""The cutover's routine on two real servers and a real pooler, forth and back under writers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.environment import Colour
from shared.domain.pause_phases import PHASES
from tests.support.cutover_switch import order, switch_of, switched
from tests.support.cutover_world import World, cutover_world
from tests.support.residue import residue
from tests.support.servers import VERSIONS
from tests.support.two_sides import TABLE, TwoSides
from tests.support.wait import until
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way

ROUNDS = 3
MAX_STALL_MS = 1000
NOISE_MS = 1000
"""What a host that runs other tests may add."""


@pytest.fixture(scope="module", params=VERSIONS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with cutover_world(request.param) as world:
        yield world


def holder_column(world: World, colour: Colour) -> object:
    return world.value(
        colour,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'account'::regclass AND attnum = 2",
    )


def test_forth_and_back_under_writers_no_transaction_fails_and_none_is_lost(world: World) -> None:
    switch = switch_of(world)
    with Writers(world.application_dsn, count=16) as writers:
        for _ in range(ROUNDS):
            writers.until_acknowledged(50)
            forth = switched(switch, order(Way.FORWARD, Colour.BLUE))
            assert set(forth.phases_ms) == set(PHASES)
            in_turn = [name for name in forth.phases_ms if name != "prepare_old"]
            assert in_turn == [name for name in PHASES if name != "prepare_old"]
            assert holder_column(world, Colour.GREEN) == "holder"
            writers.until_acknowledged(50)
            back = switched(switch, order(Way.BACK, Colour.GREEN))
            assert back.window_ms >= max(back.phases_ms.values())
            assert holder_column(world, Colour.BLUE) == "name"
    assert writers.failed == []
    assert writers.acknowledged == world.journal(Colour.BLUE)
    until(
        lambda: world.journal(Colour.GREEN) == writers.acknowledged,
        limit_s=10, what="green, kept in sync, has every write too",
    )  # fmt: skip


def test_at_no_instant_do_both_sides_accept_a_write(world: World) -> None:
    for colour in Colour:
        with world.admin(colour) as admin:
            admin.execute(TABLE)
            admin.execute("GRANT ALL ON probe_of_sides, probe_of_sides_id_seq TO app")
    switch = switch_of(world)
    with TwoSides({str(colour): world.application_at(colour) for colour in Colour}) as sides:
        for way, old in ((Way.FORWARD, Colour.BLUE), (Way.BACK, Colour.GREEN)):
            seen = len(sides.accepted)
            until(lambda seen=seen: len(sides.accepted) > seen + 3, limit_s=10, what="probes")
            switched(switch, order(way, old))
        seen = len(sides.accepted)
        until(lambda: len(sides.accepted) > seen + 3, limit_s=10, what="probes")
    assert sides.turns() == ["blue", "green", "blue"]


def test_sequences_go_on_where_the_other_side_stood(world: World) -> None:
    switch = switch_of(world)
    with world.admin(Colour.BLUE) as blue:
        blue.execute("SELECT setval('journal_id_seq', 50000)")
    switched(switch, order(Way.FORWARD, Colour.BLUE))
    with world.admin(Colour.GREEN) as green:
        row = green.execute("SELECT nextval('journal_id_seq')").fetchone()
        assert row is not None
        assert 50_000 < row[0] <= 52_000
    switched(switch, order(Way.BACK, Colour.GREEN))
    assert residue(world.servers[Colour.BLUE].dsn("app")).get("role without login") is None


@pytest.mark.timeout(900)
def test_fifty_switches_in_a_row() -> None:
    """No wait over `--max-stall` and its margin, however often traffic goes there and back."""
    with cutover_world(18) as world:
        switch, old = switch_of(world), Colour.BLUE
        with Writers(world.application_dsn, count=8) as writers:
            for _ in range(50):
                way = Way.FORWARD if old is Colour.BLUE else Way.BACK
                switched(switch, order(way, old, max_stall_ms=MAX_STALL_MS))
                writers.until_acknowledged(8)
                old = old.other
        assert writers.failed == []
        assert writers.acknowledged == world.journal(old)
    assert writers.longest_ms() < MAX_STALL_MS + 250 + NOISE_MS

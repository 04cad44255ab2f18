"""`bluegreen proxy` on two real servers and a real pooler, with nothing else of ours alive.

Neither Redis nor a control database is there: an emergency is when they are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from tests.support.command_line import CommandLine
from tests.support.cutover_switch import order, switch_of, switched
from tests.support.cutover_world import World, cutover_world
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.recovery import Recovery


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cutover_world() as world:
        yield world


@pytest.fixture
def bluegreen(world: World, tmp_path: Path) -> CommandLine:
    config = tmp_path / "stack.json"
    config.write_text(world.settings.model_dump_json(), encoding="utf-8")
    return CommandLine(tmp_path, {"BLUEGREEN_CONFIG": str(config)})


def test_status_says_where_traffic_goes(bluegreen: CommandLine) -> None:
    body = bluegreen("proxy", "status", "--json").body
    assert body["serving"] == body["pooled"] == body["direct"] == "blue"
    assert body["sides"] == {"blue": "open", "green": "fenced"}
    assert body["paused"] is False


def test_the_emergency_switch_goes_back_and_loses_nothing(
    world: World, bluegreen: CommandLine
) -> None:
    with Writers(world.application_dsn, count=8) as writers:
        writers.until_acknowledged(30)
        switched(switch_of(world), order(Way.FORWARD, Colour.BLUE))
        writers.until_acknowledged(30)
        answer = bluegreen("proxy", "switch", "blue", "--max-stall", "2000")
        assert answer.code == 0, answer.err
        assert "blue serves" in answer.out
        assert "the control database was not told" in answer.err
        writers.until_acknowledged(30)
    assert writers.failed == []
    assert writers.acknowledged == world.journal(Colour.BLUE)
    assert bluegreen("proxy", "status", "--json").body["serving"] == "blue"


def test_a_pool_left_paused_and_a_door_led_astray_are_put_right(
    world: World, bluegreen: CommandLine
) -> None:
    PgBouncer(world.settings).pause(limit_s=5)
    SymlinkDoor(world.settings).route_to(Colour.GREEN)
    body = bluegreen("proxy", "status", "--json").body
    assert (body["paused"], body["direct"]) == (True, "green")
    assert bluegreen("proxy", "switch", "blue").code == 0
    body = bluegreen("proxy", "status", "--json").body
    assert (body["paused"], body["pooled"], body["direct"]) == (False, "blue", "blue")


def test_a_switch_that_would_lose_writes_is_refused(bluegreen: CommandLine) -> None:
    answer = bluegreen("proxy", "switch", "green")
    assert answer.code == 3
    assert "would lose writes" in answer.line
    assert bluegreen("proxy", "status", "--json").body["serving"] == "blue"


def test_a_colour_that_is_none_is_named(bluegreen: CommandLine) -> None:
    answer = bluegreen("proxy", "switch", "red")
    assert answer.code == 2
    assert "red" in answer.line


def recovery_of(world: World) -> Recovery:
    nodes = addressed_nodes(world.settings, "bg_proxy")
    return Recovery(nodes, PgBouncer(world.settings), SymlinkDoor(world.settings))


def test_where_the_serving_side_is_dead_the_loss_is_named_and_must_be_accepted(
    tmp_path: Path,
) -> None:
    with cutover_world() as world:
        config = tmp_path / "stack.json"
        config.write_text(world.settings.model_dump_json(), encoding="utf-8")
        bluegreen = CommandLine(tmp_path, {"BLUEGREEN_CONFIG": str(config)})
        with Writers(world.application_dsn, count=4) as writers:
            switched(switch_of(world), order(Way.FORWARD, Colour.BLUE))
            writers.until_acknowledged(30)
        world.servers[Colour.GREEN].stop("immediate")

        refused = bluegreen("proxy", "switch", "blue")
        assert refused.code == 3
        assert "up to LSN" in refused.line
        assert "--accept-loss" in refused.line
        assert bluegreen("proxy", "status", "--json").body["sides"]["blue"] == "fenced"

        taken = bluegreen("proxy", "switch", "blue", "--accept-loss")
        assert taken.code == 0, taken.err
        with Writers(world.application_dsn, count=4, first=1000) as later:
            later.until_acknowledged(30)
        assert later.failed == []
        assert later.acknowledged <= world.journal(Colour.BLUE)

        found = recovery_of(world).look()
        assert found is not None
        assert found.taken_over
        assert recovery_of(world).settle(found) == "forward"

        world.servers[Colour.GREEN].start()
        again = bluegreen("proxy", "switch", "blue")
        assert again.code == 0, again.err
        body = bluegreen("proxy", "status", "--json").body
        assert body["sides"] == {"blue": "open", "green": "fenced"}
        assert (body["pooled"], body["direct"]) == ("blue", "blue")

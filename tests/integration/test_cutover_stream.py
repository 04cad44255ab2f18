"""What the verdict rests on must still hold when a cutover begins: no change missed its row."""

from __future__ import annotations

import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.sql.conflicts import COUNTERS, conflicts
from tests.support.cutover_switch import order, switch_of, switched
from tests.support.cutover_world import cutover_world
from tests.support.wait import until
from workers.proxy_agent.attempt import Way


def test_no_cutover_behind_a_change_that_did_not_find_its_row() -> None:
    with cutover_world(18) as world:
        with world.admin(Colour.GREEN) as green:
            green.execute("SET session_replication_role = replica")
            green.execute("DELETE FROM account WHERE id = 7")
        with world.admin(Colour.BLUE) as blue:
            blue.execute("UPDATE account SET balance = 1 WHERE id = 7")
        until(
            lambda: conflicts(world.value(Colour.GREEN, COUNTERS, "bluegreen_forward")),  # type: ignore[arg-type]
            limit_s=20,
            what="the server counted the change",
        )
        with pytest.raises(Broken, match="every change to find its row on green") as found:
            switched(switch_of(world), order(Way.FORWARD, Colour.BLUE))
        assert "confl_update_missing" in found.value.message
        assert world.value(Colour.BLUE, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'")

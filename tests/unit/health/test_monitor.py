"""What a job left behind is told in one sentence; two sides that are open are told."""

import pytest

from shared.adapters.control.health_store import BadEnd
from shared.adapters.health.server_state import ServerState, pair_results
from shared.domain.environment import Colour
from shared.monitor_settings import HealthLimits
from workers.health_monitor.monitor import bad_end


def test_a_bad_end_says_step_cause_and_way_back() -> None:
    end = BadEnd(
        job="J", database="app", file_name="f.sql", outcome="rolled_back", sentence="gave up",
        cause="a row differs", remedy="mend it", step="compare_rows",
    )  # fmt: skip
    assert bad_end(end) == (
        "job J (f.sql on app) ended rolled_back at compare_rows: a row differs; mend it; "
        "everything is as it was before the job; `bluegreen report J` tells the whole"
    )


def state(*, in_recovery: bool = False, is_fenced: bool = False) -> ServerState:
    return ServerState(
        in_recovery=in_recovery, is_fenced=is_fenced, connections=1, max_connections=100,
        senders=0, max_senders=10, slots_taken=0, max_slots=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("green", "healthy"),
    [(state(in_recovery=True), True), (state(is_fenced=True), True), (state(), False)],
)
def test_two_writable_sides_are_a_critical_alert(green: ServerState, healthy: bool) -> None:
    pair = {Colour.BLUE: state(), Colour.GREEN: green}
    results = {r.name: r for r in pair_results(pair, HealthLimits())}
    assert results["sides.one_writable"].healthy is healthy
    assert results["sides.one_writable"].severity == "critical"

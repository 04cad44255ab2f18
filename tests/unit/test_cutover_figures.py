"""What a bench says of a switch, from hand-made transactions."""

from __future__ import annotations

from benchmarks.cutover.arena import Clients
from benchmarks.cutover.designs import Turn
from benchmarks.cutover.figures import figures

SIDES = ("blue", "green")
TURN = Turn(began=10.0, paused=10.0, ended=10.05)
CALM = [(n / 10, 2.0, 0, n, "blue") for n in range(80, 95)]


def figured(*told: tuple[float, float, int, int, str | None]) -> dict:
    return figures(Clients([*CALM, *told]), [TURN], SIDES)


def test_the_longest_wait_is_that_of_a_transaction_across_the_switch() -> None:
    found = figured((9.9, 160.0, 0, 200, "green"), (10.6, 3.0, 0, 201, "green"))
    assert found["longest"] == [160.0]
    assert found["baselineMs"]["max"] == 2.0
    assert found["failedEach"]["max"] == 0
    assert found["lateWrites"] == 0


def test_a_write_on_the_old_side_behind_the_first_on_the_new_one_is_late() -> None:
    found = figured((10.1, 2.0, 0, 200, "green"), (10.2, 2.0, 0, 201, "blue"))
    assert found["lateWrites"] == 1


def test_what_failed_is_counted_and_is_no_success() -> None:
    found = figured((10.1, 1.0, 0, 200, None), (10.5, 1.0, 0, 201, "green"))
    assert found["failedEach"]["max"] == 1
    assert found["silenceMs"]["max"] > 400

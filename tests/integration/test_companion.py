"""A companion that was started ahead: it is there at once, and gone with whoever keeps it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from shared.adapters.companion import SpareCompanion
from tests.support.wait import until
from workers.replicator.short_pause import PAUSE_GUARD

KEEPING = f"""
import time
from shared.adapters.companion import SpareCompanion

spare = SpareCompanion({PAUSE_GUARD!r})
spare.prepare()
print(spare._spare.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def spare() -> Iterator[SpareCompanion]:
    found = SpareCompanion(PAUSE_GUARD, refill_s=2)
    yield found
    found.end()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_of(spare: SpareCompanion) -> int:
    with spare.taken() as companion:
        return companion.pid


def test_the_one_that_stood_ready_is_taken_and_another_takes_its_place(
    spare: SpareCompanion,
) -> None:
    spare.prepare()
    spare.prepare()
    with spare.taken() as first:
        assert first.is_alive()
        with spare.taken() as second:
            assert second.pid != first.pid
    until(lambda: is_gone(first.pid), limit_s=10, what="the first one ends when it is let go")
    assert pid_of(spare) not in (first.pid, second.pid)


def test_a_new_one_is_started_only_when_whoever_gave_one_back_has_gone_on(
    spare: SpareCompanion,
) -> None:
    with spare.taken() as first:
        pass
    assert spare._spare is None
    until(lambda: spare._spare is not None, limit_s=10, what="another stands ready")
    assert pid_of(spare) != first.pid
    spare.end()
    until(lambda: not spare._refill.is_alive(), limit_s=10, what="nothing is started any more")
    assert spare._spare is None


class Slow(SpareCompanion):
    """Its timer has fired, and starts the spare one only when it is let."""

    def __init__(self) -> None:
        super().__init__(PAUSE_GUARD, refill_s=0)
        self.fired, self.goes_on = threading.Event(), threading.Event()

    def prepare(self) -> None:
        self.fired.set()
        self.goes_on.wait(10)
        super().prepare()


def test_one_that_is_about_to_start_does_not_outlive_the_end() -> None:
    spare = Slow()
    spare._prepare_later()
    assert spare.fired.wait(10)
    threading.Timer(0.2, spare.goes_on.set).start()
    spare.end()
    assert spare.goes_on.wait(10)
    spare._refill.join(10)
    assert spare._spare is None


def test_one_that_died_while_nobody_looked_is_not_handed_out(spare: SpareCompanion) -> None:
    spare.prepare()
    assert spare._spare is not None
    dead = spare._spare
    os.kill(dead.pid, signal.SIGKILL)
    until(lambda: not dead.is_alive(), limit_s=10, what="it is dead")
    with spare.taken() as companion:
        assert companion.pid != dead.pid
        assert companion.is_alive()


def test_it_ends_with_a_process_that_is_killed() -> None:
    keeper = subprocess.Popen([sys.executable, "-c", KEEPING], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout is not None
    pid = int(keeper.stdout.readline())
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    until(lambda: is_gone(pid), limit_s=10, what="the spare one ends with its keeper")

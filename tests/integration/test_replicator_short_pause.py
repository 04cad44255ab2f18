"""A short pause renews the pool's sessions, and ends in time whatever becomes of its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import psycopg
import pytest

from shared.adapters.companion import companion
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.migration import Job
from shared.ports import Session
from tests.support.cutover_world import World, cutover_world
from tests.support.pooler import POOL_SIZE
from tests.support.sides import BLUE, job_on
from tests.support.steps import done
from tests.support.wait import until
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.promotion import Promotion
from workers.replicator.short_pause import FEW, PAUSE_GUARD, ShortPause
from workers.replicator.steps.apply_on_active import ApplyOnActive

PAUSING = """
import os, sys, time
from functools import partial
from shared.adapters.companion import companion
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.settings import load
from workers.replicator.short_pause import PAUSE_GUARD, ShortPause

pause = ShortPause(PgBouncer(load(os.environ)), partial(companion, PAUSE_GUARD))
with pause.ready() as pool, pool.narrow(), pool.held(wait_s=2, work_s=float(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cutover_world(15) as world, pytest.MonkeyPatch.context() as patch:
        (world.root / "stack.json").write_text(world.settings.model_dump_json())
        patch.setenv("BLUEGREEN_CONFIG", str(world.root / "stack.json"))
        yield world


@pytest.mark.parametrize(
    ("deadly", "work_s"),
    [(signal.SIGKILL, "60"), (signal.SIGSTOP, "2")],
    ids=["killed", "frozen"],
)
def test_the_pool_goes_on_without_the_worker_that_paused_it(
    world: World, deadly: signal.Signals, work_s: str
) -> None:
    pooler = PgBouncer(world.settings)
    until(lambda: pooler.width() == POOL_SIZE, limit_s=10, what="no pause is left over")
    use_connections(world, FEW + 1)
    worker = subprocess.Popen(
        [sys.executable, "-c", PAUSING, work_s], stdout=subprocess.PIPE, env=os.environ
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"held\n"
    assert pooler.width() < POOL_SIZE
    worker.send_signal(deadly)
    until(lambda: not pooler.is_paused(), limit_s=10, what="the guard resumes")
    worker.kill()
    worker.wait()
    until(lambda: pooler.width() == POOL_SIZE, limit_s=10, what="the guard widens the pool")
    worker.stdout.close()


def use_connections(world: World, number: int) -> None:
    """So many transactions at once: the pool keeps a connection of each for a while."""
    with ExitStack() as stack:
        for _ in range(number):
            client = stack.enter_context(psycopg.connect(world.application_dsn))
            client.execute("SELECT")
    assert PgBouncer(world.settings).connections() >= number


def test_prepared_select_star_survives_an_added_column(world: World) -> None:
    """Without the pause: "cached plan must not change result type"."""
    job = job_on(BLUE, sql="ALTER TABLE account ADD COLUMN added int", **PLAN)
    pause = ShortPause(PgBouncer(world.settings), partial(companion, PAUSE_GUARD))
    nodes = addressed_nodes(world.settings, "bg_replicator")
    pooler = PgBouncer(world.settings)
    promotion = Promotion(nodes, pooler, SymlinkDoor(world.settings))
    step = ApplyOnActive(
        nodes, Background(), pause, as_application, promotion, Batches(nodes, pooler)
    )
    widths: set[int] = set()
    failed: list[psycopg.Error] = []
    stop = threading.Event()

    def read() -> None:
        with psycopg.connect(world.application_dsn, autocommit=True) as client:
            client.prepare_threshold = 1
            while not stop.is_set():
                try:
                    found = client.execute("SELECT * FROM account WHERE id = %s", (1,))
                    widths.add(len(found.fetchall()[0]))
                except psycopg.Error as error:
                    failed.append(error)
                    stop.set()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    until(lambda: widths == {3}, limit_s=20, what="the readers read")
    done(step, job)
    until(lambda: widths == {3, 4} or failed, limit_s=20, what="the readers see the column")
    stop.set()
    for reader in readers:
        reader.join()
    assert failed == []


def as_application(session: Session, job: Job) -> str:
    return "app"


GROUP = {"statements": (0,), "transaction": True, "short_pause": True}
PLAN = {"validate": {"migration_type": "safe", "risk_level": "LOW", "plan": (GROUP,)}}

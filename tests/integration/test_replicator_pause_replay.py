"""During a maintenance the standby keeps what was before it."""

import pytest

from shared.domain.kinds import Kind
from tests.support.fake_pool import CountingPool
from tests.support.pair import pair
from tests.support.servers import VERSIONS
from tests.support.sides import BLUE, GREEN, job_on
from tests.support.steps import done, undone
from tests.support.wait import until
from workers.replicator.steps.finish import Finish
from workers.replicator.steps.pause_standby_replay import PauseStandbyReplay


@pytest.mark.parametrize("version", VERSIONS)
def test_replay_is_held_and_goes_on_by_undo_and_by_finish(version: int) -> None:
    job = job_on(BLUE, kind=Kind.MAINTENANCE)
    with pair(version) as servers:
        step = PauseStandbyReplay(servers.nodes)
        finish = Finish(servers.nodes, CountingPool().short_pause())
        for way_out in (lambda: undone(step, job), lambda: done(finish, job)):
            undone(step, job)
            assert not step.is_done(job)
            done(step, job)
            step.do(job)
            assert step.is_done(job)
            assert not finish.is_done(job)
            servers.run(BLUE, "CREATE TABLE IF NOT EXISTS public.x (); DROP TABLE public.x;"
                        " CREATE TABLE public.x ()")  # fmt: skip
            assert servers.is_standby(GREEN)  # it goes on receiving
            before = servers.value(GREEN, "SELECT pg_last_wal_replay_lsn()")
            assert before == servers.value(GREEN, "SELECT pg_last_wal_replay_lsn()")
            way_out()
            assert not step.is_done(job)
            until(
                lambda: servers.value(GREEN, "SELECT to_regclass('public.x') IS NOT NULL"),
                limit_s=10, what="the standby has the table",
            )  # fmt: skip
            servers.run(BLUE, "DROP TABLE public.x")
        undone(finish, job)

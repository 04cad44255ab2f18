"""Roles swap with each risky job, and colours never do: ten times in a row on one pair."""

from __future__ import annotations

import time

import pytest

from shared.domain.environment import Colour
from tests.support.fake_pool import CountingPool
from tests.support.ladder import climb, left_over
from tests.support.pair import Pair, pair
from tests.support.sides import BLUE
from tests.support.steps import done
from tests.support.switching import switch
from workers.replicator.steps.finish import Finish
from workers.replicator.steps.restore_standby import RestoreStandby

TIMES = 10
TABLE = """
CREATE TABLE notes (
    id bigserial PRIMARY KEY, body_0 text NOT NULL, cents integer NOT NULL DEFAULT 1);
INSERT INTO notes (body_0) SELECT 'note ' || g FROM generate_series(1, 500) AS g;
"""


def file(number: int) -> str:
    """A rename, a new column and a value that is computed, back and forth."""
    return (
        f"-- bluegreen: down notes.cents = cents - 1\n"
        f"ALTER TABLE notes RENAME COLUMN body_{number} TO body_{number + 1};\n"
        f"ALTER TABLE notes ADD COLUMN added_{number} integer NOT NULL DEFAULT {number};\n"
        f"UPDATE notes SET cents = cents + 1;\n"
    )


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("version", [15, 16, 18])
def test_ten_jobs_in_a_row_swap_the_roles_each_time_and_leave_nothing(version: int) -> None:
    with pair(version) as servers:
        servers.run(BLUE, "GRANT ALL ON SCHEMA public TO app")
        servers.run(BLUE, TABLE, user="app")
        active = BLUE
        for number in range(TIMES):
            began = time.monotonic()
            active = one_job(servers, active, number)
            print(f"job {number}: {active} serves after {time.monotonic() - began:.1f} s")
            assert left_over(servers, active=active) == []
            assert servers.value(active, "SELECT count(*) FROM notes") == 501 + number
        body = f"body_{TIMES}"
        found = servers.rows(
            active,
            f"SELECT {body}, cents, added_0 FROM notes"
            f" WHERE {body} IN ('note 1', 'born in job 0') ORDER BY id",
        )
        assert found == [("note 1", 1 + TIMES, 0), ("born in job 0", TIMES, 0)]
        assert active is BLUE


def one_job(servers: Pair, source: Colour, number: int) -> Colour:
    """The side that serves after it. Writes go on in the old shape, then in the new one."""
    job = servers.rehearsed(file(number), source)
    job = job.model_copy(update={"id": f"20261123-{number:04x}"})
    climb(servers, job)
    switch(servers, source)
    servers.run(
        source.other, f"INSERT INTO notes (body_{number + 1}) VALUES ('born in job {number}')",
        user="app",
    )  # fmt: skip
    done(Finish(servers.nodes, CountingPool().short_pause()), job)
    done(RestoreStandby(servers.nodes), job, limit_s=120)
    return source.other

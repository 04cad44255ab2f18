"""A bulk change by the command line, under load: paused, killed, resumed; every row once."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.embedded.postgres_binaries import find_postgres
from tests.support.journey import Journey, journey_on_a_stack
from tests.support.wait import until

NEWEST = 18
ROWS = 60_000
TABLE = f"""
    CREATE TABLE parcels (id bigint PRIMARY KEY, grams integer NOT NULL DEFAULT 0, note text);
    INSERT INTO parcels SELECT n, 0, repeat('x', 100) FROM generate_series(1, {ROWS}) AS n
"""
FILE = """\
-- bluegreen: batch table=parcels key=id size=50
UPDATE parcels SET grams = grams + 1;
CREATE TABLE parcels_done (id int);
"""
"""Batches so small that a host in a hurry is not done with them before the pause, which is noticed
after a look of 1.5 s."""


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    find_postgres(NEWEST)
    with journey_on_a_stack(NEWEST, tmp_path_factory.mktemp("batches")) as found:
        found.as_application(TABLE)
        with psycopg.connect(found.doors["blue"], autocommit=True) as connection:
            connection.execute("ANALYZE parcels")
        yield found


def changed(journey: Journey) -> int:
    with psycopg.connect(journey.doors["direct"]) as connection:
        row = connection.execute("SELECT count(*) FROM parcels WHERE grams > 0").fetchone()
    return int(row[0]) if row else -1


def sentence(journey: Journey, job: str) -> str:
    steps = {step["name"]: step for step in journey.status(job)["steps"]}
    return str(steps["apply_on_active"]["sentence"])


def test_a_bulk_change_is_paused_killed_and_done_once_beside_the_application(
    journey: Journey,
) -> None:
    with journey.shop.load() as journal:
        job = journey.submit("parcels.sql", FILE, "--type", "safe")
        until(lambda: changed(journey) > 0, limit_s=120, what="the first batch has committed")
        said = journey.bluegreen("pause", job)
        assert said.code == 0, said.err
        until(lambda: "paused by hand" in sentence(journey, job), limit_s=30, what="it pauses")
        paused_at = changed(journey)
        assert 0 < paused_at < ROWS
        replicator = journey.stack.kill("replicator")
        journey.stack.until_back("replicator", replicator)
        assert changed(journey) == paused_at
        said = journey.bluegreen("resume", job, "--detach")
        assert said.code == 0, said.err
        until(lambda: changed(journey) > paused_at, limit_s=60, what="it goes on")
        journey.stack.kill("replicator")
        assert journey.until_ended(job, within_s=240) == "completed"
    with psycopg.connect(journey.doors["direct"]) as connection:
        found = connection.execute("SELECT grams, count(*) FROM parcels GROUP BY 1").fetchall()
    assert found == [(1, ROWS)]
    assert journey.shop.account(journal).clean
    report = journey.report(job)
    assert report["rollbackPoint"]["scope"] == "affected"
    assert report["rollbackPoint"]["rows"] == ROWS
    answers = {line["item"]: line for line in report["checklist"]}
    assert answers["backup verified"]["state"] == "ok"
    assert answers["health checks"]["state"] == "ok"
    history = journey.bluegreen("history", "--json").body
    assert history["summary"]["safe"]["successRate"] == 1.0
    assert history["jobs"][0]["seconds"] > 1
    assert journey.servers.residue() == {}

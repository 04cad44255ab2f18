"""Planned downtime by the command line, under load: announced, measured, and with its way back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.embedded.postgres_binaries import find_postgres
from tests.support.journey import Journey, journey_on_a_stack
from tests.support.servers import VERSIONS
from tests.support.wait import until

TABLE = """
    CREATE TABLE IF NOT EXISTS barrels (id bigint PRIMARY KEY, litres integer);
    TRUNCATE barrels;
    INSERT INTO barrels SELECT n, n % 100 FROM generate_series(1, 1000) AS n
"""
FAILS_AFTER_A_COMMIT = """\
-- bluegreen: no-transaction
DELETE FROM barrels WHERE id <= 500;
ALTER TABLE barrels ADD CONSTRAINT full_enough CHECK (litres > 0);
"""
TAKES_A_WHILE = "DELETE FROM barrels WHERE id <= 500;\nSELECT pg_sleep(4);\n"


@pytest.fixture(scope="module", params=VERSIONS)
def journey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    find_postgres(request.param)
    with journey_on_a_stack(request.param, tmp_path_factory.mktemp("maintenance")) as found:
        yield found


@pytest.fixture(autouse=True)
def barrels(journey: Journey) -> None:
    journey.as_application(TABLE)


def count(journey: Journey) -> int:
    with psycopg.connect(journey.doors["direct"]) as connection:
        row = connection.execute("SELECT count(*) FROM barrels").fetchone()
    return int(row[0]) if row else -1


def active(journey: Journey) -> str:
    return next(side for side in ("blue", "green") if not journey.servers.is_in_recovery(side))


def told(journey: Journey, job: str) -> list[tuple[str, bool]]:
    """Every announcement of that job: its sentence, and whether it is over."""
    with psycopg.connect(journey.doors["control"]) as connection:
        return connection.execute(
            "SELECT sentence, cleared_at IS NOT NULL FROM bluegreen_control.alert"
            " WHERE name LIKE 'maintenance/' || %s || '%%' ORDER BY raised_at",
            (job,),
        ).fetchall()


def maintain(journey: Journey, name: str, sql: str, *options: str) -> str:
    return journey.submit(name, sql, "--type", "maintenance", *options)


def test_traffic_is_held_the_downtime_measured_and_told_before_and_after(journey: Journey) -> None:
    with journey.shop.load() as journal:
        soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 30))
        job = maintain(journey, "plain.sql", TAKES_A_WHILE, "--at", soon)
        until(lambda: told(journey, job), limit_s=60, what="the plan is announced")
        assert journey.until_ended(job) == "completed"
        until(lambda: journey.report(job)["impact"], limit_s=30, what="the impact is measured")
    account = journey.shop.account(journal)
    assert account.clean, account
    assert count(journey) == 500
    planned, begun = told(journey, job)
    assert planned[0].startswith("maintenance of app, in which clients wait, is planned for ")
    assert "begins: clients wait until plain.sql has run" in begun[0]
    assert planned[1]
    assert begun[1]
    downtime = journey.report(job)["downtime"]
    assert downtime["how"] == "hold"
    assert 4 < downtime["seconds"] < 60
    assert journey.servers.residue() == {}
    answers = {line["item"]: line for line in journey.report(job)["checklist"]}
    assert answers["team told"]["answer"].startswith("2 announcements: maintenance of app")
    assert answers["application"]["answer"].startswith("downtime ")
    restored_by_hand(journey, journey.report(job)["rollbackPoint"]["path"])


def restored_by_hand(journey: Journey, point: str) -> None:
    """The job has ended, so its rollback point is restored beside, and only when confirmed."""
    said = journey.bluegreen("rollback", point)
    assert said.code != 0
    assert "confirm it with `--yes`" in said.err
    said = journey.bluegreen("rollback", point, "--yes", "--json")
    assert said.code == 0, said.err
    assert said.body["database"].startswith("app_restored_")
    here = psycopg.conninfo.conninfo_to_dict(journey.doors[active(journey)])
    beside = psycopg.conninfo.make_conninfo(**{**here, "dbname": said.body["database"]})
    with psycopg.connect(beside) as connection:
        assert connection.execute("SELECT count(*) FROM barrels").fetchone() == (1000,)
    with journey.stack.connect(active(journey)) as connection:
        connection.execute(f"DROP DATABASE {said.body['database']}")
    assert count(journey) == 500


def test_a_file_that_fails_after_a_commit_is_taken_back_by_the_standby(journey: Journey) -> None:
    before = active(journey)
    with journey.two_sides() as sides, journey.shop.load() as journal:
        job = maintain(journey, "fails.sql", FAILS_AFTER_A_COMMIT)
        assert journey.until_ended(job) == "rolled_back"
    assert active(journey) != before
    account = journey.shop.account(journal)
    assert account.clean, account
    assert len(sides.turns()) == 2, sides.turns()
    assert count(journey) == 1000
    assert journey.servers.residue() == {}
    assert "full_enough" in journey.status(job)["sentence"]
    assert journey.report(job)["downtime"]["seconds"] > 0


def test_a_file_after_which_the_checks_fail_is_taken_back(journey: Journey) -> None:
    before = active(journey)
    with journey.shop.load() as journal:
        job = maintain(journey, "unhealthy.sql", TAKES_A_WHILE, "--timeout", "8")
        journey.until_step(job, "apply_on_active")
        with journey.stack.connect(before) as connection:
            note = "SELECT count(*) FROM bluegreen.applied WHERE job = %s AND part ~ 'before'"
            until(
                lambda: connection.execute(note, (job,)).fetchone() == (1,),
                limit_s=30, what="the file begins",
            )  # fmt: skip
            connection.execute("ALTER ROLE bg_health NOLOGIN")
        assert journey.until_ended(job) == "rolled_back"
    assert active(journey) != before
    account = journey.shop.account(journal)
    assert account.clean, account
    assert count(journey) == 1000
    assert journey.servers.residue() == {}


def test_a_file_that_fails_in_its_transaction_leaves_the_sides_as_they_are(
    journey: Journey,
) -> None:
    before = active(journey)
    with journey.shop.load() as journal:
        job = maintain(journey, "wrong.sql", "DELETE FROM barrels;\nSELECT 1 / 0;\n")
        assert journey.until_ended(job) == "rolled_back"
    assert active(journey) == before
    assert journey.shop.account(journal).clean
    assert count(journey) == 1000
    assert journey.servers.residue() == {}


def test_clients_can_be_refused_instead_and_are_let_in_again(journey: Journey) -> None:
    said: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                with psycopg.connect(journey.doors["app"], connect_timeout=5) as client:
                    client.execute("SELECT 1")
            except psycopg.Error as error:
                said.append(str(error))
            stop.wait(0.1)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        job = maintain(journey, "refuses.sql", TAKES_A_WHILE, "--on-maintenance", "refuse")
        assert journey.until_ended(job) == "completed"
    finally:
        stop.set()
        asking.join(20)
    assert any("disabled" in message for message in said), said
    with psycopg.connect(journey.doors["app"]) as client:
        assert client.execute("SELECT 1").fetchone() == (1,)
    assert journey.report(job)["downtime"]["how"] == "refuse"

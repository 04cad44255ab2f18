"""A whole risky job on two servers of which only the addresses are known, under load."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.embedded.postgres_binaries import find_postgres
from tests.support.files import Pets
from tests.support.journey import Journey
from tests.support.remote_stack import remote_journey
from tests.support.wait import until

LEFT_CLOSED = {"stored fence": ["app"], "role without login": ["app"]}
"""The side that does not serve: nobody of the application's can log in there."""


@pytest.fixture(scope="module", params=[(15, True), (18, False)], ids=["15-super", "18-plain"])
def journey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    version, superuser = request.param
    find_postgres(version)
    with remote_journey(version, tmp_path_factory.mktemp("remote"), superuser=superuser) as found:
        yield found


def closed_side(journey: Journey) -> str:
    """Where nobody of the application's may log in: the side that rests."""
    for side in ("blue", "green"):
        with psycopg.connect(journey.doors[side]) as administrator:
            found = administrator.execute("SELECT bluegreen.is_fenced()").fetchone()
            if found == (True,):
                return side
    raise AssertionError("both sides are open")


def left(journey: Journey) -> dict[str, dict[str, list[str]]]:
    """The residue; of a side that was left, not the names that its last columns wear."""
    found = journey.servers.residue()
    found[closed_side(journey)].pop("landing column", None)
    return found


def to_window(journey: Journey, pets: Pets) -> str:
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
    journey.until_step(job, "hold_rollback_window")
    return job


def test_forward_and_back_loses_nothing_then_forward_and_finish(journey: Journey) -> None:
    pets, rests = Pets("pets_main"), closed_side(journey)
    journey.as_application(pets.table)
    with journey.two_sides() as sides, journey.shop.load() as journal:
        job = to_window(journey, pets)
        assert journey.own_columns(pets.name) == ["id", "called", "weight", "colour"]
        journey.as_application(f"UPDATE {pets.name} SET weight = 2.5 WHERE id = 3")
        journey.as_application(
            f"INSERT INTO {pets.name} (id, called, weight) VALUES (9001, 'born on green', 0.004)"
        )
        journey.bluegreen("rollback", job, "--yes")
        assert journey.until_ended(job) == "rolled_back"
        assert journey.own_columns(pets.name) == ["id", "label", "chip", "weight"]
        with psycopg.connect(journey.doors["direct"]) as connection:
            rows = connection.execute(
                f"SELECT id, label, weight FROM {pets.name} WHERE id IN (3, 9001) ORDER BY id"
            ).fetchall()
        assert rows == [(3, "pet 3", 2500), (9001, "born on green", 4)]
        assert left(journey) == {rests: LEFT_CLOSED}
        again = to_window(journey, pets)
        journey.bluegreen("finish", again)
        assert journey.until_ended(again) == "completed"
        assert journey.own_columns(pets.name) == ["id", "called", "weight", "colour"]
    account = journey.shop.account(journal)
    assert account.clean, account
    assert len(sides.turns()) == 4, sides.turns()
    assert closed_side(journey) != rests
    assert left(journey) == {closed_side(journey): LEFT_CLOSED}
    report = journey.report(again)
    assert report["greenBy"] == "copy"
    assert report["copyEstimateSeconds"] > 0
    assert report["comparison"]["rowsCompared"] > 500
    assert report["comparison"]["rowsDifferent"] == 0
    assert report["rollbackPoint"]["verified"] is True


CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_replication
WHERE application_name = 'bluegreen_reverse'
"""
READER = """
SELECT pid FROM pg_stat_subscription WHERE subname = 'bluegreen_reverse' AND relid IS NULL
"""


def asked(journey: Journey, side: str, query: str) -> object:
    with psycopg.connect(journey.doors[side], autocommit=True) as administrator:
        found = administrator.execute(query).fetchone()
        return None if found is None else found[0]


def test_a_lost_connection_does_not_close_the_way_back(journey: Journey) -> None:
    """Also where nobody may read the server's log: `18-plain`."""
    pets, serves = Pets("pets_cut"), closed_side(journey)  # it does after the cutover
    old = "green" if serves == "blue" else "blue"
    journey.as_application(pets.table)
    with journey.shop.load() as journal:
        job = to_window(journey, pets)
        for _ in range(3):
            until(lambda: asked(journey, old, READER), limit_s=30, what="the way back runs")
            reader = asked(journey, old, READER)
            assert asked(journey, serves, CUT) is True
            until(
                lambda gone=reader: asked(journey, old, READER) not in (gone, None),  # type: ignore[misc]
                limit_s=30, what="another worker reads",
            )  # fmt: skip
        journey.as_application(
            f"INSERT INTO {pets.name} (id, called, weight) VALUES (9001, 'born on green', 0.004)"
        )
        journey.go_back(job)
        assert journey.until_ended(job) == "rolled_back"
    assert journey.shop.account(journal).clean
    assert closed_side(journey) == serves
    found = f"SELECT label FROM {pets.name} WHERE id = 9001"
    assert asked(journey, old, found) == "born on green"


def test_the_side_that_was_left_takes_the_next_copy(journey: Journey) -> None:
    """Roles swap twice: what the old side kept is emptied, and copied anew."""
    for number in (1, 2):
        pets, rests = Pets(f"pets_turn_{number}"), closed_side(journey)
        journey.as_application(pets.table)
        with journey.shop.load() as journal:
            job = to_window(journey, pets)
            journey.bluegreen("finish", job)
            assert journey.until_ended(job) == "completed"
        assert journey.shop.account(journal).clean
        assert closed_side(journey) != rests
        assert left(journey) == {closed_side(journey): LEFT_CLOSED}
        assert journey.own_columns(pets.name) == ["id", "called", "weight", "colour"]


def test_a_database_that_is_not_ours_is_not_touched(journey: Journey) -> None:
    pets = Pets("pets_refused")
    journey.as_application(pets.table)
    with psycopg.connect(journey.doors[closed_side(journey)], autocommit=True) as administrator:
        administrator.execute("CREATE TABLE theirs (n int)")
        kept = administrator.execute("DELETE FROM bluegreen.given_up RETURNING job").fetchall()
        try:
            file = journey.write("refused.sql", pets.risky)
            said = journey.bluegreen("run", str(file), "--type", "risky", "--yes")
            assert said.code == 3, said.err
            assert "nothing of others is dropped" in said.err + said.out
            found = administrator.execute("SELECT to_regclass('theirs') IS NOT NULL").fetchone()
            assert found == (True,)
        finally:
            administrator.execute("DROP TABLE theirs")
            for row in kept:
                administrator.execute("INSERT INTO bluegreen.given_up (job) VALUES (%s)", row)


def test_traffic_is_not_led_to_a_side_that_was_left(journey: Journey) -> None:
    rests = closed_side(journey)
    said = journey.bluegreen("proxy", "switch", rests, "--yes")
    assert said.code != 0, said.out
    assert closed_side(journey) == rests
    journey.as_application("SELECT 1")

"""The main job, whole, by the command line, under load: forward, back, again, finish, and on.

Every test works on a table of its own beside the shop and leaves the stack at rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.embedded.postgres_binaries import find_postgres
from tests.support.files import Pets
from tests.support.journey import Journey, journey_on_a_stack

OLDEST, NEWEST = 15, 18


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def journey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    find_postgres(request.param)
    with journey_on_a_stack(request.param, tmp_path_factory.mktemp("main")) as found:
        yield found


def to_window(journey: Journey, pets: Pets) -> str:
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
    journey.until_step(job, "hold_rollback_window")
    return job


def test_forward_and_back_loses_nothing_then_forward_and_finish(journey: Journey) -> None:
    pets = Pets("pets_main")
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
        assert journey.columns(pets.name) == ["id", "label", "chip", "weight"]
        with psycopg.connect(journey.doors["direct"]) as connection:
            rows = connection.execute(
                f"SELECT id, label, weight FROM {pets.name} WHERE id IN (3, 9001) ORDER BY id"
            ).fetchall()
        assert rows == [(3, "pet 3", 2500), (9001, "born on green", 4)]
        again = to_window(journey, pets)
        journey.bluegreen("finish", again)
        assert journey.until_ended(again) == "completed"
        assert journey.columns(pets.name) == ["id", "called", "weight", "colour"]
    account = journey.shop.account(journal)
    assert account.clean, account
    assert len(sides.turns()) == 4, sides.turns()
    assert journey.servers.residue() == {}
    report = journey.report(again)
    assert report["outcome"] == "completed"
    assert report["comparison"]["rowsCompared"] > 500
    assert report["comparison"]["rowsDifferent"] == 0
    assert report["rollbackPoint"]["verified"] is True
    (switch,) = report["switches"]
    assert switch["failedTransactions"] == 0
    assert 0 < switch["windowMs"] < 500
    assert {step["name"] for step in report["steps"]} >= {"rehearse", "cutover", "finish"}


def test_back_in_sync_then_forward_again_green_is_blue_plus_the_file(journey: Journey) -> None:
    pets = Pets("pets_kept")
    journey.as_application(pets.table)
    with journey.shop.load() as journal:
        job = to_window(journey, pets)
        journey.as_application(
            f"UPDATE {pets.name} SET colour = 'chosen on green' WHERE id = 3;"
            f"INSERT INTO {pets.name} (id, called, weight) VALUES (9001, 'born on green', 0.004)"
        )
        said = journey.bluegreen("rollback", job, "--keep-sync", "--yes", "--json")
        assert said.code == 0, said.err
        assert said.body["step"] == "hold_in_sync"
        assert journey.columns(pets.name) == ["id", "label", "chip", "weight"]
        early = journey.bluegreen("finish", job)
        assert early.code == 2, early.out
        journey.as_application(f"UPDATE {pets.name} SET weight = 7000 WHERE id = 9001")
        journey.bluegreen("approve", job, "--detach")
        journey.until_step(job, "hold_rollback_window")
        with psycopg.connect(journey.doors["direct"]) as connection:
            rows = connection.execute(
                f"SELECT id, called, weight, colour FROM {pets.name} WHERE id IN (3, 4, 9001)"
                " ORDER BY id"
            ).fetchall()
        assert [row[1:3] for row in rows][2] == ("born on green", 7)
        assert rows[0][3] == rows[1][3] == rows[2][3], "as the file computes it, not as chosen"
        journey.bluegreen("rollback", job, "--keep-sync", "--yes")
        journey.bluegreen("abort", job, "--yes")
        assert journey.until_ended(job) == "rolled_back"
    assert journey.shop.account(journal).clean
    assert journey.servers.residue() == {}
    directions = [switch["direction"] for switch in journey.report(job)["switches"]]
    there, back, *again = directions
    assert again == [there, back]
    assert there.split("->") == back.split("->")[::-1]


def test_a_safe_file_runs_on_the_active_side(journey: Journey) -> None:
    journey.as_application("CREATE TABLE parcels (id bigint PRIMARY KEY, at text)")
    with journey.shop.load() as journal:
        file = journey.write("add_weight.sql", "ALTER TABLE parcels ADD COLUMN weight integer;\n")
        said = journey.bluegreen("run", str(file), "--type", "safe")
        assert said.code == 0, said.err
        again = journey.bluegreen("run", str(file), "--type", "safe")
        assert again.code == 0
        assert "already applied" in again.out + again.err
    assert journey.columns("parcels") == ["id", "at", "weight"]
    assert journey.shop.account(journal).clean


def test_a_maintenance_file_holds_traffic_and_lets_it_go(journey: Journey) -> None:
    journey.as_application("CREATE TABLE barrels (id bigint PRIMARY KEY, litres integer)")
    with journey.shop.load() as journal:
        job = journey.submit(
            "barrels.sql", "ALTER TABLE barrels ALTER COLUMN litres TYPE text;\n", "--type",
            "maintenance",
        )  # fmt: skip
        assert journey.until_ended(job) == "completed"
    account = journey.shop.account(journal)
    assert account.failed == account.lost == 0
    assert journey.servers.residue() == {}


def test_a_second_job_is_refused_while_one_is_live(journey: Journey) -> None:
    first, second = Pets("pets_first"), Pets("pets_second")
    journey.as_application(first.table + ";" + second.table)
    job = journey.submit("first.sql", first.risky, "--type", "risky", "--hold")
    file = journey.write("second.sql", second.risky)
    said = journey.bluegreen("run", str(file), "--type", "risky", "--yes", "--detach")
    assert said.code == 5, said.err
    assert job in said.err
    journey.until_step(job, "hold_for_approval")
    journey.bluegreen("abort", job, "--yes")
    assert journey.until_ended(job) == "rolled_back"
    assert journey.servers.residue() == {}

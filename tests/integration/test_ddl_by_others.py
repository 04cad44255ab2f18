"""Schema changes by others while a job is live: refused, and where somebody got past, the job ends
before the cutover and takes itself back."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.files import Pets
from tests.support.journey import journey_on_a_stack

PAST_THE_FREEZE = "SET session_replication_role = replica"
"""What only a superuser may set, and with which no event trigger of ours fires."""


def test_a_superuser_who_gets_past_the_freeze_ends_the_job_and_keeps_the_change(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pets = Pets("pets_sneaked")
    with journey_on_a_stack(15, tmp_path_factory.mktemp("ddl")) as journey:
        journey.as_application(pets.table)
        with journey.shop.load() as journal:
            job = journey.submit("sneaked.sql", pets.risky, "--type", "risky", "--hold")
            journey.until_step(job, "hold_for_approval")
            change = f"ALTER TABLE {pets.name} ADD COLUMN sneaked integer"
            with pytest.raises(psycopg.errors.ObjectInUse, match=job):
                journey.as_application(change)
            with psycopg.connect(journey.doors["blue"], autocommit=True) as administrator:
                with pytest.raises(psycopg.errors.ObjectInUse, match=job):
                    administrator.execute(change)
                administrator.execute(PAST_THE_FREEZE)
                administrator.execute(change)
            journey.bluegreen("approve", job, "--detach")
            assert journey.until_ended(job) == "rolled_back"
            assert "found it changed meanwhile" in journey.status(job)["sentence"]
            journey.as_application(f"UPDATE {pets.name} SET sneaked = 1, label = 'b' WHERE id = 1")
            assert journey.report(job)["switches"] == []
            again = journey.submit("sneaked.sql", pets.risky, "--type", "risky", "--hold")
            journey.until_step(again, "hold_for_approval")
            journey.bluegreen("abort", again, "--yes")
            assert journey.until_ended(again) == "rolled_back"
        assert journey.shop.account(journal).clean
        assert journey.servers.residue() == {}

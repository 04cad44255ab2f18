"""A person names a job by its id, by its rollback point, or by its migration file."""

from __future__ import annotations

import pytest

from producer.steering import job_of
from shared.domain.errors import Refused
from shared.domain.migration import Outcome
from tests.unit.producer.test_client import World


@pytest.mark.parametrize(
    "target",
    [
        "20261123-7f3a",
        "rollback-20261123-7f3a-20261123T114501Z.sql",
        "/var/lib/postgresql/backups/rollback-20261123-7f3a-20261123T114501Z.sql.zst.age",
        "rollback-20261123-7f3a-20261123T114501Z.data.sql.zst",
    ],
)
def test_an_id_and_a_rollback_point_name_their_job(target: str) -> None:
    assert job_of(World().client, target) == "20261123-7f3a"


def test_a_migration_file_names_the_newest_job_that_carried_it() -> None:
    world = World()
    world.store.end(world.submit(), Outcome.ROLLED_BACK)
    newest = world.submit()
    assert job_of(world.client, "migrations/002.sql") == newest


def test_a_file_that_was_never_run_is_refused() -> None:
    with pytest.raises(Refused, match=r"found no job with the file 003\.sql"):
        job_of(World().client, "003.sql")

"""What a restore says of a database that will not stay."""

from __future__ import annotations

import pytest

from producer.keeping import live_risky_job, passing_note
from shared.domain.environment import Colour
from shared.domain.migration import Kind, RunOptions
from tests.support.fakes import FakeControlStore


@pytest.mark.parametrize(
    ("kind", "found"), [(Kind.RISKY, True), (Kind.SAFE, False), (Kind.MAINTENANCE, False)]
)
def test_only_at_the_end_of_a_risky_job_one_side_is_made_from_the_other(
    kind: Kind, found: bool
) -> None:
    store = FakeControlStore()
    assert live_risky_job(store.jobs(live_only=True)) is None
    job = store.submit(
        database="app", kind=kind, file_name="f.sql", sql="", options=RunOptions(),
        source=Colour.BLUE, requested_by="me",
    )  # fmt: skip
    assert live_risky_job(store.jobs(live_only=True)) == (job if found else None)


def test_the_note_names_the_job_the_database_and_the_side() -> None:
    note = passing_note("20261123-7f3a", "app_before", Colour.GREEN)
    assert note.startswith("job 20261123-7f3a is live: app_before stands on green alone")
    assert "restore again then" in note

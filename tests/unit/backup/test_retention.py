"""Retention deletes what is old, and never the last proof that a way back exists."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.environment import Colour
from shared.domain.retention import expendable
from shared.domain.rollback_point import Manifest, point_name

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def point(age_days: float, *, verified: bool = True, database: str = "app") -> Manifest:
    at = NOW - timedelta(days=age_days)
    job = f"20261123-{int(age_days * 100):04x}"
    return Manifest(
        name=point_name(job, at), job=job, database=database, colour=Colour.BLUE, scope="schema",
        taken_at=at, server_version="18.4", pg_dump_version="18.4", lsn="0/0", schema_digest="0",
        verified_at=at if verified else None,
    )  # fmt: skip


def test_points_over_the_limit_go_and_younger_ones_stay() -> None:
    old, older, young = point(8), point(9), point(6)
    assert expendable([old, young, older], now=NOW, days=7) == [older, old]


def test_the_newest_verified_point_stays_whatever_its_age() -> None:
    newest, older = point(100), point(200)
    assert expendable([newest, older, point(90, verified=False)], now=NOW, days=7) == [
        older,
        point(90, verified=False),
    ]


def test_a_database_without_a_verified_point_loses_none() -> None:
    assert expendable([point(100, verified=False)], now=NOW, days=7) == []
    mine, theirs = point(1), point(100, verified=False, database="other")
    assert expendable([mine, theirs], now=NOW, days=7) == []


def test_a_point_of_a_live_job_stays() -> None:
    old = point(9)
    assert expendable([old, point(1)], now=NOW, days=7, live_jobs=[old.job]) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.booleans(), st.sampled_from(["app", "other"])),
        max_size=12,
    )
)
def test_whatever_is_deleted_a_verified_point_of_its_database_remains(
    drawn: list[tuple[int, bool, str]],
) -> None:
    points = [
        point(age + number / 100, verified=verified, database=database)
        for number, (age, verified, database) in enumerate(drawn)
    ]
    gone = expendable(points, now=NOW, days=7)
    for deleted in gone:
        assert deleted.taken_at < NOW - timedelta(days=7)
        assert any(
            kept.database == deleted.database and kept.verified_at and kept not in gone
            for kept in points
        )

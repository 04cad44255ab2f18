"""How far a copy is, and when it will end: by the bytes of the source's tables."""

from __future__ import annotations

from workers.replicator.copy_progress import Progress, TableCopy

BIG = TableCopy("d", 900_000_000, 1000, 500)
"""Under way, half of its rows are there."""
SMALL = TableCopy("r", 100_000_000, 10, 0)


def test_a_table_counts_by_its_bytes_and_the_share_of_its_rows() -> None:
    going = Progress((BIG, SMALL), elapsed_s=55.0)
    assert going.share() == 0.55
    assert not going.is_ready
    assert going.sentence() == "1 of 2 tables are copied, 550 of 1000 MB, about 45 s to go"


def test_the_estimate_is_in_minutes_when_it_is_long() -> None:
    going = Progress((BIG, SMALL), elapsed_s=660.0)
    assert going.sentence().endswith("about 9 min to go")


def test_more_rows_than_were_estimated_are_not_more_than_the_table() -> None:
    more = Progress((TableCopy("d", 100, 10, 5000),), elapsed_s=1.0)
    assert more.share() == 1.0


def test_a_table_that_was_never_counted_is_there_when_it_is_copied() -> None:
    unknown = Progress((TableCopy("d", 100, 0, 7),), elapsed_s=1.0)
    assert unknown.share() == 0.0
    assert unknown.sentence() == "0 of 1 tables are copied, 0 of 0 MB"


def test_all_rows_are_not_yet_all_that_was_written() -> None:
    synced = Progress((TableCopy("s", 10_000_000, 10, 0),), elapsed_s=1.0)
    assert not synced.is_ready
    assert "what was written meanwhile follows" in synced.sentence()
    assert Progress((SMALL,), elapsed_s=1.0).is_ready


def test_a_database_without_rows_is_ready_at_once() -> None:
    assert Progress((TableCopy("r", 0, 0, 0),), elapsed_s=0.1).share() == 1.0

"""A program of PostgreSQL that failed is quoted by the line that says why."""

from __future__ import annotations

import pytest

from shared.adapters.embedded.clusters import why


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "NOTICE:  base backup begins\npg_basebackup: error: could not write to file: No space "
            "left on device\npg_basebackup: removing contents of data directory",
            "pg_basebackup: error: could not write to file: No space left on device",
        ),
        ("one\ntwo\n", "two"),
        ("", "it said nothing"),
    ],
)
def test_a_program_that_failed_is_quoted_with_its_reason(words: str, reason: str) -> None:
    assert why(words) == reason

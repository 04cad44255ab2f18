"""Numbers in sentences."""

from __future__ import annotations

import pytest

from shared.domain.counted import counted


@pytest.mark.parametrize(
    ("number", "words", "read"),
    [
        (1, ("table",), "1 table"),
        (0, ("table",), "0 tables"),
        (2000, ("row",), "2,000 rows"),
        (1, ("index is", "indexes are"), "1 index is"),
        (2, ("index is", "indexes are"), "2 indexes are"),
    ],
)
def test_a_number_and_its_word_agree(number, words, read):
    assert counted(number, *words) == read

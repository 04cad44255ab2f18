"""An approval counts for its time, unless it is taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.approval import LIFE, counting

T0 = datetime(2026, 11, 26, tzinfo=UTC)
NO_MORE = timedelta(0)


def test_an_approval_counts_until_it_has_run_out() -> None:
    asked = [("finish", T0), ("approve", T0)]
    assert counting(asked, T0 + LIFE, NO_MORE) == {"approve", "finish"}
    assert counting(asked, T0 + LIFE * 1.01, NO_MORE) == {"finish"}
    assert "approve" in counting(asked, T0 + LIFE * 1.01, LIFE)


def test_the_last_word_counts() -> None:
    asked = [("approve", T0), ("withdraw", T0)]
    assert counting(asked, T0, NO_MORE) == frozenset()
    assert counting([*asked, ("approve", T0)], T0, NO_MORE) == {"approve"}

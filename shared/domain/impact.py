"""What a migration changed in the speed of the application: before, after, query by query. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.baseline import Interval, QueryProfile, Spread, spread, transaction_spread

SHOWN = 10


def impact_document(
    before: Sequence[Interval], after: Sequence[Interval], profiles: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """`profiles`: what `confirm` noted, `before` and `after` as lists of QueryProfile; None when
    nothing was measured."""
    if profiles is None and not before and not after:
        return None
    noted = profiles or {}
    return {
        "changedAt": noted.get("changed_at"),
        "before": _side(before),
        "after": _side(after),
        "queries": query_changes(
            [QueryProfile.model_validate(each) for each in noted.get("before", ())],
            [QueryProfile.model_validate(each) for each in noted.get("after", ())],
        ),
    }


def _side(intervals: Sequence[Interval]) -> dict[str, Any]:
    seconds = sum(each.seconds for each in intervals)
    passed = sum(each.transactions for each in intervals)
    door = [each.door_ms for each in intervals if each.door_ms is not None]
    return {
        "seconds": round(seconds, 1),
        "transactionsPerSecond": round(passed / seconds, 2) if seconds else None,
        "transactionMs": _numbers(transaction_spread(intervals)),
        "doorMs": _numbers(spread(door)),
    }


def _numbers(found: Spread | None) -> dict[str, float] | None:
    return None if found is None else found.model_dump()


def query_changes(
    before: Sequence[QueryProfile], after: Sequence[QueryProfile]
) -> list[dict[str, Any]]:
    """Each statement of the two profiles with both its speeds, the dearest of either first."""
    old = {each.query: each for each in before}
    new = {each.query: each for each in after}
    dearest = sorted(
        old.keys() | new.keys(),
        key=lambda text: (-max(_share(old, text), _share(new, text)), text),
    )
    return [
        {
            "query": text,
            "beforeMs": old[text].mean_ms if text in old else None,
            "afterMs": new[text].mean_ms if text in new else None,
            "beforeCallsPerSecond": old[text].calls_per_s if text in old else None,
            "afterCallsPerSecond": new[text].calls_per_s if text in new else None,
        }
        for text in dearest[:SHOWN]
    ]


def _share(profile: Mapping[str, QueryProfile], text: str) -> float:
    return profile[text].share if text in profile else 0.0

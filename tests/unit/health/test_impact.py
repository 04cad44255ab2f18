"""Before and after, query by query."""

from shared.domain.baseline import QueryProfile
from shared.domain.impact import impact_document, query_changes
from workers.health_monitor.confirm_verdict import Evidence, Traffic, complaints


def query(text: str, ms: float, share: float) -> QueryProfile:
    return QueryProfile(query=text, calls_per_s=1.0, mean_ms=ms, share=share)


def test_a_statement_of_either_profile_is_shown_with_what_is_known() -> None:
    found = query_changes([query("a", 1, 0.9), query("gone", 2, 0.1)], [query("a", 3, 0.2),
                          query("new", 4, 0.8)])  # fmt: skip
    assert [(each["query"], each["beforeMs"], each["afterMs"]) for each in found] == [
        ("a", 1, 3), ("new", None, 4), ("gone", 2, None),
    ]  # fmt: skip


def test_nothing_measured_is_no_impact() -> None:
    assert impact_document([], [], None) is None


def verdict(now_ms: float | None, usual_ms: float | None) -> list[str]:
    return complaints(
        Evidence(
            before=None, after=Traffic(100, 0), errors_before={}, errors_after={}, words={},
            door_before_ms=[], door_after_ms=[], transaction_ms=now_ms,
            usual_transaction_ms=usual_ms,
        )
    )  # fmt: skip


def test_slow_is_five_times_as_long_and_noticeably_longer() -> None:
    assert verdict(300.0, 2.0) == ["a transaction takes 300 ms, before it was 2.0 ms"]
    assert verdict(40.0, 2.0) == []
    assert verdict(300.0, 100.0) == []
    assert verdict(300.0, None) == verdict(None, 2.0) == []

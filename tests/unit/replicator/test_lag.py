"""The sentence about lag says where it is going."""

from workers.replicator.lag import SMALL_BYTES, Trend


def test_one_look_tells_only_how_far() -> None:
    trend = Trend()
    trend.add(0.0, 5_000_000)
    assert trend.sentence() == "5.0 MB behind"
    assert trend.progress() == 0.0


def test_a_lag_that_shrinks_has_an_end() -> None:
    trend = Trend()
    trend.add(0.0, 10_000_000)
    trend.add(2.0, 8_000_000)
    assert trend.bytes_per_s() == 1_000_000
    assert trend.sentence() == "8.0 MB behind, about 8 s to go"
    assert trend.progress() is not None
    assert abs(trend.progress() - 0.2) < 1e-9


def test_a_lag_that_grows_is_no_hope() -> None:
    trend = Trend()
    trend.add(0.0, 1_000_000)
    trend.add(1.0, 3_000_000)
    assert "falls back" in trend.sentence()


def test_only_the_newest_looks_count() -> None:
    trend = Trend()
    trend.add(0.0, 1)
    for second in range(1, 100):
        trend.add(float(second), 100_000 - second * 1_000)
    assert trend.bytes_per_s() == 1_000


def test_two_looks_at_the_same_instant_have_no_rate() -> None:
    trend = Trend()
    trend.add(1.0, 10)
    trend.add(1.0, 20)
    assert trend.bytes_per_s() is None


def test_a_small_lag_is_no_reason_to_wait() -> None:
    trend = Trend()
    assert trend.keeps_up()
    trend.add(0.0, 10)
    trend.add(1.0, SMALL_BYTES)
    assert trend.keeps_up()


def test_a_large_lag_must_be_seen_to_shrink() -> None:
    trend = Trend()
    for second, lag_bytes in ((0.0, 5), (1.0, 4)):
        trend.add(second, lag_bytes * SMALL_BYTES)
        assert not trend.keeps_up()
    trend.add(2.0, 3 * SMALL_BYTES)
    assert trend.keeps_up()


def test_a_large_lag_that_grows_is_waited_for_no_cutover() -> None:
    trend = Trend()
    for second in range(10):
        trend.add(float(second), (2 + second) * SMALL_BYTES)
    assert not trend.keeps_up()

"""A lag that grows is told from one that swings."""

from shared.domain.trend import Look, growth, kept


def looks(*values: float, every_s: float = 10) -> list[Look]:
    return [Look(number * every_s, value) for number, value in enumerate(values)]


def test_a_measure_that_rises_all_the_time_grows_at_its_pace() -> None:
    found = growth(looks(0, 10, 20, 30, 40, 50, 60), span_s=60)
    assert found is not None
    assert found.per_second == 1.0
    assert found.seconds_until(100) == 40
    assert found.seconds_until(50) == 0


def test_what_swings_falls_or_rests_does_not_grow() -> None:
    for values in ((50, 0, 50, 0, 50, 0, 50), (60, 50, 40, 30, 20, 10, 0), (5,) * 7):
        assert growth(looks(*values), span_s=60) is None


def test_before_the_span_is_over_nothing_is_known() -> None:
    assert growth(looks(0, 10, 20, 30, 40, 50), span_s=60) is None


def test_only_what_is_needed_is_kept() -> None:
    found: tuple[Look, ...] = ()
    for each in looks(*range(100)):
        found = kept(found, each, span_s=60)
    assert [look.value for look in found] == [93, 94, 95, 96, 97, 98, 99]

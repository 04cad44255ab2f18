"""An alert is raised by several bad samples and cleared by several good ones: no flapping."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.health import Damper


def changes(samples: list[bool], damper: Damper | None = None) -> list[str | None]:
    damper, found = damper or Damper(), []
    for healthy in samples:
        damper, change = damper.after(healthy)
        found.append(change)
    return found


def test_one_bad_sample_raises_nothing() -> None:
    assert changes([True, False, True, True, False, True, True]) == [None] * 7


def test_two_of_three_bad_samples_raise_once() -> None:
    assert changes([False, True, False, False, False]) == [None, None, "raise", None, None]


def test_two_of_three_good_samples_clear_once() -> None:
    assert changes([False, False, True, False, True, True, True]) == [
        None, "raise", None, None, "clear", None, None,
    ]  # fmt: skip


@given(st.lists(st.booleans()))
def test_raises_and_clears_alternate(samples: list[bool]) -> None:
    found = [change for change in changes(samples) if change is not None]
    assert found == ["raise" if number % 2 == 0 else "clear" for number in range(len(found))]

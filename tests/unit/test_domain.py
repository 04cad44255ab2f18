"""The words: positions order and measure, names and literals are quoted, kinds cover."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.environment import Colour
from shared.domain.identifiers import ident, literal
from shared.domain.lsn import Lsn
from shared.domain.migration import Kind


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_position_reads_back_as_it_was_written(value: int) -> None:
    assert Lsn.parse(str(Lsn(value))) == Lsn(value)


@pytest.mark.parametrize("text", ["", "16", "16/", "/1", "x/1", "123456789/0"])
def test_what_is_no_position_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        Lsn.parse(text)


def test_distance_is_never_negative() -> None:
    assert Lsn(10).bytes_behind(Lsn(25)) == 15
    assert Lsn(25).bytes_behind(Lsn(10)) == 0


def test_names_and_literals_survive_hostile_text() -> None:
    assert ident("public", 'a"b') == '"public"."a""b"'
    assert literal("it's") == "'it''s'"
    assert literal("a\\'b") == " E'a\\\\''b'"
    with pytest.raises(ValueError):
        ident("")


def test_a_claim_covers_what_needs_no_more() -> None:
    assert Kind.RISKY.covers(Kind.SAFE)
    assert not Kind.SAFE.covers(Kind.RISKY)


def test_colours_are_two() -> None:
    assert Colour.BLUE.other is Colour.GREEN
    assert Colour.GREEN.other is Colour.BLUE

"""What an expression depends on besides its row, read off the server's analysed tree."""

from __future__ import annotations

import pytest

from shared.mapping.locality import (
    SeenFunction,
    functions_in,
    names_users_objects,
    not_row_local,
)

PLAIN = "({QUERY :hasAggs false :hasWindowFuncs false :hasTargetSRFs false :hasSubLinks false %s})"


@pytest.mark.parametrize("varno", [1, 3])
def test_a_whole_row_is_seen_on_every_version(varno: int) -> None:
    """A view's rule has two more tables in front up to PostgreSQL 15."""
    column = PLAIN % f"{{VAR :varno {varno} :varattno 4 :vartype 25}}"
    row = PLAIN % f"{{VAR :varno {varno} :varattno 0 :vartype 16412}}"
    system = PLAIN % f"{{VAR :varno {varno} :varattno -1 :vartype 27}}"
    assert not_row_local(column, []) == []
    assert not_row_local(row, []) == ["the row as a whole"]
    assert not_row_local(system, []) == ["a system column"]


def test_flags_and_nodes_of_the_tree_are_named() -> None:
    tree = PLAIN.replace("hasSubLinks false", "hasSubLinks true") % "{SQLVALUEFUNCTION :op 0}"
    assert not_row_local(tree, []) == ["a sub-select", "the time or the user of the session"]


def test_functions_and_operators_are_looked_up_once() -> None:
    assert functions_in("{FUNCEXPR :funcid 870} {OPEXPR :opfuncid 147} {FUNCEXPR :funcid 870}") == [
        147,
        870,
    ]


@pytest.mark.parametrize(
    ("function", "is_local"),
    [
        (SeenFunction("lower", "i", built_in=True, compiled=True), True),
        (SeenFunction("to_jsonb", "s", built_in=True, compiled=True), True),
        (SeenFunction("now", "s", built_in=True, compiled=True), False),
        (SeenFunction("random", "v", built_in=True, compiled=True), False),
        (SeenFunction("unaccent", "s", built_in=False, compiled=True), True),
        (SeenFunction("looks_up", "s", built_in=False, compiled=False), False),
        (SeenFunction("my_pure", "i", built_in=False, compiled=False), True),
    ],
)
def test_volatility_alone_does_not_decide(function: SeenFunction, is_local: bool) -> None:
    assert (not_row_local(PLAIN % "", [function]) == []) is is_local


def test_what_is_the_users_own_is_seen_by_its_number() -> None:
    own = "{OPEXPR :opno 514 :opfuncid 141 :opresulttype 23 :args ({VAR :vartype 23 :varcollid 0})}"
    assert not names_users_objects(own + "{RANGETBLENTRY :relid 16385 :resorigtbl 16385}")
    for field in ("vartype 16390", "opfuncid 20000", "inputcollid 16400", "resultcollid 16401"):
        assert names_users_objects(f"{own}{{X :{field} :location 3}}")

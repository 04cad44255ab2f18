"""What a tree mentions, in the order in which it stands there."""

from __future__ import annotations

from shared.sql import grammar
from shared.sql.expressions import columns, relations
from shared.sql.mentions import Mentions, mentions
from shared.sql.names import split_name, strings


def tree(sql: str):
    ((_, node),) = grammar.parse(sql.encode())[0]["stmt"].items()
    return node


def test_each_kind_is_found_wherever_it_stands():
    node = tree(
        "WITH w AS (SELECT f(a) FROM s.t) INSERT INTO x SELECT b::int, current_date, g(1) "
        "FROM w JOIN y ON y.c = ANY (SELECT d FROM z)"
    )
    found = mentions(node)
    assert sorted(each["relname"] for each in found.ranges) == ["t", "w", "x", "y", "z"]
    assert sorted(each["relname"] for each in relations(node)) == ["t", "x", "y", "z"]
    assert columns(node) == {"a", "b", "c", "d"}
    assert {split_name(call["funcname"])[1] for call in found.calls} == {"f", "g"}
    assert [strings(cast["typeName"]["names"])[-1] for cast in found.casts] == ["int4"]
    assert len(found.values) == 1
    assert [each["ctename"] for each in found.ctes] == ["w"]


def test_another_tree_is_another_answer():
    one, other = tree("SELECT a FROM b"), tree("SELECT c FROM d")
    assert columns(one) == {"a"}
    assert columns(other) == {"c"}
    assert columns(one) == {"a"}


def test_nothing_is_mentioned_by_nothing_and_by_a_constant():
    for each in (None, {}, [], {"A_Const": {"ival": {"ival": 1}}}):
        assert not any(getattr(mentions(each), name) for name in Mentions.__slots__)

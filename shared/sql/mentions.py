"""What a tree mentions: relations, columns, functions, types, in one walk that all askers share."""

from __future__ import annotations

from typing import Any

from shared.sql.grammar import Node


class Mentions:
    """The nodes of each kind below one tree, in the order in which they stand in it."""

    __slots__ = ("calls", "casts", "columns", "ctes", "operators", "queries", "ranges", "values")

    def __init__(self, tree: Any) -> None:
        self.ranges: list[Node] = []
        """RangeVars, also where a field holds one without its tag (the target of an INSERT)."""
        self.columns: list[Node] = []
        self.calls: list[Node] = []
        self.casts: list[Node] = []
        self.ctes: list[Node] = []
        self.operators: list[Node] = []
        self.queries: list[Node] = []
        """Those that stand in an expression."""
        self.values: list[Node] = []
        """CURRENT_DATE and its like."""
        self._walk(tree)

    def _walk(self, tree: Any) -> None:
        found = {
            "ColumnRef": self.columns,
            "FuncCall": self.calls,
            "TypeCast": self.casts,
            "A_Expr": self.operators,
            "CommonTableExpr": self.ctes,
            "SQLValueFunction": self.values,
            "SubLink": self.queries,
        }
        stack = [tree] if type(tree) is dict else tree[::-1]
        while stack:
            each = stack.pop()
            if "relpersistence" in each and "relname" in each:
                self.ranges.append(each)
                continue  # below it are names alone
            for key, value in each.items():
                kind = type(value)
                if kind is dict:
                    if key in found:
                        found[key].append(value)
                    if key not in _LEAVES:
                        stack.append(value)
                elif kind is list and key not in _NAMES:
                    stack += [item for item in value[::-1] if "A_Const" not in item]


_LEAVES = frozenset({"A_Const", "ColumnRef", "String", "Integer", "Float", "Boolean", "A_Star"})
_NAMES = frozenset({"funcname", "lockedRels", "name", "names"})
"""Lists of nothing but words, where they are lists: FOR UPDATE OF names aliases, not tables."""
_NOTHING = Mentions({})
_last: tuple[Any, Mentions] = (None, _NOTHING)


def mentions(tree: Any) -> Mentions:
    """The mentions of a tree, which nobody changes. Whoever asks next asks of the same one, mostly:
    the last answer is kept."""
    global _last
    if not tree or "A_Const" in tree:
        return _NOTHING
    asked, found = _last
    if asked is not tree:
        found = Mentions(tree)
        _last = (tree, found)
    return found

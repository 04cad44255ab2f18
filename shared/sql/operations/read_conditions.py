"""The conditions that a query puts on the rows of one of its sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.sql.grammar import Node
from shared.sql.operations.pruning import filters


def conditions_on(source: Node, query: Node) -> list[Node]:
    """Those that are joined by AND in the WHERE beside the source, or in the ON of a join that
    drops its rows where they do not hold; `source` is a RangeVar somewhere in `query`.

    Comparisons are never true of a NULL: in the WHERE they also hold for the rows of an outer join.
    """
    for scope in _scopes(query):
        sources = [*scope.get("fromClause", ()), *scope.get("usingClause", ())]
        found = _of_joins(source, sources)
        if found is not None:
            alone = len(sources) == 1 and "RangeVar" in sources[0] and "relation" not in scope
            return [*found, *filters(scope.get("whereClause"), alone=alone)]
    return []


def _scopes(query: Node) -> Iterator[Node]:
    """Whatever has sources of its own, at every depth."""
    stack: list[Any] = [query]
    while stack:
        each = stack.pop()
        if isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, dict):
            if "fromClause" in each or "usingClause" in each:
                yield each
            stack.extend(each.values())


def _of_joins(source: Node, sources: list[Node]) -> list[Node] | None:
    """None where the source is not among these."""
    for each in sources:
        if each.get("RangeVar") is source:
            return []
        join = each.get("JoinExpr", {})
        for side in ("larg", "rarg") if join else ():
            found = _of_joins(source, [join[side]])
            if found is not None:
                kept = join.get("jointype") in ("JOIN_INNER", _DROPS[side])
                return [*found, *filters(join.get("quals") if kept else None, alone=False)]
    return None


_DROPS = {"larg": "JOIN_RIGHT", "rarg": "JOIN_LEFT"}
"""Side of a join -> the outer join that drops its rows where ON does not hold."""

"""SELECT .. FOR UPDATE and its like: the tables whose rows are locked."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import relations
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.queries import Named, members_read
from shared.sql.schema_objects import Relation


def lock_rows(ctx: Context, query: Node, operation: Operation) -> None:
    """Those of the sources that FOR UPDATE names, or of all: not of what only a condition reads,
    nor of WITH."""
    clauses = [clause["LockingClause"] for clause in query["lockingClause"]]
    named = {each["RangeVar"]["relname"] for c in clauses for each in c.get("lockedRels", ())}
    every = any("lockedRels" not in clause for clause in clauses)
    tables = {id(each) for each in relations(query)}
    for source in _sources(query, None if every else named):
        relation = ctx.find(source) if id(source) in tables else None
        if relation is not None:
            _lock(ctx, relation, Named(source, query), operation)


def _sources(query: Node, named: set[str] | None) -> Iterator[Node]:
    """RangeVars of a query and of the queries that it selects from; None: whatever their names."""
    stack = list(query.get("fromClause", ()))
    while stack:
        each = stack.pop()
        if "JoinExpr" in each:
            stack += [each["JoinExpr"]["larg"], each["JoinExpr"]["rarg"]]
            continue
        body = each.get("RangeVar") or each.get("RangeSubselect", {})
        known_as = body.get("alias", {}).get("aliasname", body.get("relname"))
        if named is not None and known_as not in named:
            continue
        if "RangeVar" in each:
            yield body
        else:
            yield from _sources(body.get("subquery", {}).get("SelectStmt", {}), None)


def _lock(ctx: Context, relation: Relation, named: Named | None, operation: Operation) -> None:
    """A table with the partitions that are read of it, a view with what it reads."""
    reached = members_read(ctx, relation, named)
    operation.lock_all([relation, *reached], Lock.ROW_SHARE)
    for key in relation.reads if relation.kind == "view" else ():
        if behind := ctx.catalog.relations.get(key):
            _lock(ctx, behind, None, operation)

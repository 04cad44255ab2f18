"""What a query reads: locks on it, columns of it, and the columns that it gives."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from shared.sql.chosen_names import figured
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, relations
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.mentions import mentions
from shared.sql.names import strings
from shared.sql.operations.pruning import left_to
from shared.sql.operations.read_conditions import conditions_on
from shared.sql.operations.routines import follow_behind
from shared.sql.row_selection import reads_nothing
from shared.sql.schema_objects import Column, Key, Relation, Type


def read_query(ctx: Context, query: Node, operation: Operation, *, scan: bool) -> list[Relation]:
    """Locks of a query on what it reads; views are followed to the tables behind them."""
    check_calls(ctx, query, operation)
    found = []
    for node in relations(query):
        relation = ctx.relation(node)
        if relation is not None:
            found.append(relation)
            rows = not reads_nothing(query)
            hold_read(ctx, relation, operation, scan=scan, rows=rows, named=Named(node, query))
    return found


class Named(NamedTuple):
    """A RangeVar, and the query or change of rows that it stands in."""

    source: Node
    query: Node


def hold_read(
    ctx: Context,
    relation: Relation,
    operation: Operation,
    *,
    scan: bool,
    rows: bool = True,
    named: Named | None = None,
) -> None:
    """Lock a relation that is read; a query that runs reaches what lies behind it, and its rows
    unless nothing can come of them."""
    operation.lock(relation, Lock.ACCESS_SHARE)
    if relation.kind == "view" and scan:
        if relation.calls and rows:
            follow_behind(ctx, relation.calls, operation)
        for key in relation.reads:
            if behind := ctx.catalog.relations.get(key):
                hold_read(ctx, behind, operation, scan=scan, rows=rows)
    for member in [relation, *(members_read(ctx, relation, named) if scan else ())]:
        if scan:
            operation.lock(member, Lock.ACCESS_SHARE)
            if member.stored and rows:
                operation.scan(member)


def members_read(ctx: Context, relation: Relation, named: Named | None) -> list[Relation]:
    """The partitions and children, at every level, that are read with a table."""
    if not relation.children:
        return []
    if named is not None and not named.source.get("inh", False):
        return []
    if named is None or relation.partition_key is None:
        return ctx.catalog.partitions_of(relation)
    return left_to(ctx, relation, named.source, conditions_on(named.source, named.query))


def query_columns(ctx: Context, query: Node, names: list[str]) -> dict[str, Column] | None:
    """Columns of a SELECT's result, as far as the text says; None when it does not. A problem for
    a name that two of them have: they are about to be columns of one relation."""
    select = query.get("SelectStmt", {})
    while "larg" in select:
        select = select["larg"]
    found: list[str] = []
    for target in select.get("targetList", ()):
        body = target["ResTarget"]
        fields = strings(body.get("val", {}).get("ColumnRef", {}).get("fields"))
        if fields[-1:] == ["*"]:
            expanded = _star(ctx, select, fields[:-1])
            if expanded is None:
                return None
            found += expanded
        else:
            found.append(body.get("name") or figured(body.get("val", {})) or _nameless(body))
    if len(names) > len(found) and "targetList" in select and not ctx.building:
        ctx.error("catalog", f"{len(names)} names are given to {len(found)} columns")
    found[: len(names)] = names
    twice = [name for name, times in Counter(found).items() if times > 1 and name]
    if twice and not ctx.building:
        ctx.error(
            "catalog",
            f'column "{twice[0]}" specified more than once',
            remedy="give one of the two another name: AS ..",
        )
    return {name or "?column?": Column(name, Type("unknown")) for name in found}


def _nameless(target: Node) -> str:
    """What the column of an expression is called that lends no name; empty where that is not known,
    as of a query or JSON."""
    known = target.get("val", {}).keys() <= {"A_Const", "A_Expr", "BoolExpr", "NullTest"}
    return "?column?" if known else ""


def _star(ctx: Context, select: Node, of: list[str]) -> list[str] | None:
    """The columns behind `*`, or behind `t.*`."""
    found: list[str] = []
    for source in select.get("fromClause", ()):
        body = source.get("RangeVar", {})
        alias = body.get("alias", {})
        if of and of[-1:] != [alias.get("aliasname") or body.get("relname")]:
            continue
        relation = ctx.find(body) if body and "colnames" not in alias else None
        if relation is None or relation.columns is None:
            return None
        found += relation.columns
    return found or None


def column_reads(query: Node, read: list[Relation]) -> dict[Key, frozenset[str] | None]:
    """Which columns of which relation a query reads.

    A name counts for every relation that has a column of that name, unless an alias says which;
    a star over a relation reads all of its columns.
    """
    aliases = _aliases(query)
    found: dict[Key, set[str] | None] = {relation.key: set() for relation in read}
    for body in mentions(query).columns:
        parts = strings(body.get("fields"))
        name, qualifier = parts[-1], parts[-2] if len(parts) > 1 else None
        for relation in read:
            if qualifier is not None and aliases.get(qualifier, qualifier) != relation.name:
                continue
            noted = found[relation.key]
            if noted is None:
                continue
            if relation.columns is None:
                found[relation.key] = None
            elif name == "*":
                noted.update(relation.columns)
            elif name in relation.columns:
                noted.add(name)
    return {key: None if names is None else frozenset(names) for key, names in found.items()}


def _aliases(query: Node) -> dict[str, str]:
    return {
        node["alias"]["aliasname"]: node["relname"] for node in relations(query) if "alias" in node
    }

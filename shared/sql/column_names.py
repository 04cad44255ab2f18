"""Column names in queries: a problem for a name that nothing in the query can have.

No scoping: a name counts as known when any relation, alias or function of the whole statement
could bear it, so that only what is certainly wrong is said.
"""

from __future__ import annotations

from typing import Any

from shared.sql.context import Context
from shared.sql.expressions import relations, walk
from shared.sql.grammar import Node
from shared.sql.mentions import Mentions, mentions
from shared.sql.names import strings

_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "excluded", "old", "new"})
_OPAQUE = frozenset({"RangeTableFunc", "JsonTable", "RangeTableSample", "XmlExpr"})


def check_names(ctx: Context, query: Any, own: frozenset[str] = frozenset()) -> None:
    """Check a query that is not inside a body, whose variables nobody knows here."""
    if ctx.body_depth or ctx.building or not ctx.catalog.complete:
        return
    known = _names(ctx, query)
    if known is None:
        return
    for body in mentions(query).columns:
        parts = strings(body.get("fields"))
        if parts[-1] == "*" or parts[-1] in known or parts[0] in _SYSTEM or parts[-1] in own:
            continue
        if len(parts) > 1 and any(part in _SYSTEM for part in parts):
            continue
        ctx.error("catalog", f'column "{parts[-1]}" does not exist', at=body.get("location"))


def _names(ctx: Context, query: Any) -> set[str] | None:
    """Everything that a column reference may name; None when that cannot be told."""
    found = set(_SYSTEM)
    sources = relations(query)
    for node in sources:
        relation = ctx.find(node)
        if relation is None or relation.columns is None:
            return None
        found.update(relation.columns)
        found.add(relation.name)
    for tag, body in walk(query):
        if tag in _OPAQUE:
            return None
        if tag == "RangeFunction" and not _scalar_function(body):
            return None
        if isinstance(body, dict):
            _aliases(body, found)
    return found


def _aliases(body: Node, found: set[str]) -> None:
    alias = body.get("alias")
    if isinstance(alias, dict) and "aliasname" in alias:
        found.add(alias["aliasname"])
        found.update(strings(alias.get("colnames")))
    for key in ("name", "ctename"):
        if isinstance(body.get(key), str):
            found.add(body[key])
    found.update(strings(body.get("aliascolnames")))
    if isinstance(body.get("funcname"), list):
        found.update(strings(body["funcname"])[-1:])


_SCALAR = frozenset(
    {"generate_series", "unnest", "regexp_split_to_table", "string_to_table", "jsonb_object_keys"}
    | {"jsonb_array_elements", "jsonb_array_elements_text", "json_array_elements"}
)


def _scalar_function(body: Node) -> bool:
    if body.get("coldeflist"):
        return False
    names = [name for call in Mentions(body).calls for name in strings(call.get("funcname"))[-1:]]
    named = body.get("alias", {}).get("colnames")
    return bool(named) or all(name in _SCALAR for name in names)

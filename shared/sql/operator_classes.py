"""Which types an index method takes without naming an operator class.

Source: pg_opclass of PostgreSQL 15 to 18, rows with opcdefault.
"""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.schema_objects import Relation, Type
from shared.sql.types import BUILTIN, base_type
from shared.sql.words import words

_RANGES = words("int4range int8range numrange tsrange tstzrange daterange")
_MULTIRANGES = words(
    "int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange"
)
_WITHOUT_BTREE = words("json xml point line lseg box path polygon circle")
_GIN = words("jsonb tsvector")
_GIST = words("box point polygon circle tsvector tsquery") | _RANGES | _MULTIRANGES
_SPGIST = words("point box polygon text varchar inet cidr") | _RANGES
_BTREE_GIST = words(
    """int2 int4 int8 float4 float8 numeric timestamp timestamptz time timetz date interval oid
    money char text varchar bpchar bytea bit varbit macaddr macaddr8 uuid bool inet cidr"""
)


def check(ctx: Context, relation: Relation, method: str, node: Node, operation: Operation) -> None:
    """A problem for each plain key of an index that `method` has no default class for."""
    for wrapped in node.get("indexParams", ()):
        element = wrapped["IndexElem"]
        column = (relation.columns or {}).get(element.get("name", ""))
        if column is not None and "opclass" not in element:
            check_type(ctx, column.type, method, operation)


def check_type(ctx: Context, given: Type, method: str, operation: Operation) -> None:
    type_ = base_type(given, ctx.catalog)
    if type_.schema is not None or type_.name not in BUILTIN:
        return
    if _has_class(type_, method):
        return
    extension = _extension(type_.name, method)
    what = f"an operator class of {type_.name} for access method {method}"
    if extension is not None:
        ctx.require(extension, what, operation)
    else:
        ctx.error(
            "catalog",
            f"data type {type_.name} has no default operator class for access method {method}",
            remedy="index an expression of another type, or name an operator class",
        )


def _has_class(type_: Type, method: str) -> bool:
    if method == "gin":
        return type_.array or type_.name in _GIN
    if type_.array:
        return method in ("btree", "hash")
    if method == "gist":
        return type_.name in _GIST
    if method == "spgist":
        return type_.name in _SPGIST
    return not (method in ("btree", "hash") and type_.name in _WITHOUT_BTREE)


def _extension(name: str, method: str) -> str | None:
    if method == "gist" and name in _BTREE_GIST:
        return "btree_gist"
    if method == "gin" and name in _BTREE_GIST:
        return "btree_gin"
    return None

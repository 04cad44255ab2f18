"""Numbers and booleans that are written for a column of a type that takes none.

A quoted constant has no type yet, and is read as the column's. Source: pg_cast of PostgreSQL 15 to
18, rows that are implicit or for assignment.
"""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.schema_objects import Column
from shared.sql.types import base_type
from shared.sql.words import words

_TAKES_NO_NUMBER = words("""
    bool date time timetz timestamp timestamptz interval uuid json jsonb bytea inet cidr macaddr xml
    tsvector point bit varbit char int4range int8range numrange tsrange tstzrange daterange""")
_TAKES_NO_BOOLEAN = (_TAKES_NO_NUMBER - {"bool"}) | words("int2 int4 int8 numeric float4 float8")


def check_constant(ctx: Context, column: Column, value: Node) -> None:
    constant = value.get("A_Const", {})
    if "boolval" in constant:
        what, refusing = "a boolean", _TAKES_NO_BOOLEAN
    elif "ival" in constant or "fval" in constant:
        what, refusing = "a number", _TAKES_NO_NUMBER
    else:
        return
    type_ = base_type(column.type, ctx.catalog)
    made = ctx.catalog.types.get(type_.key)
    own = made is not None and made.kind in ("enum", "range", "composite")
    if type_.array or own or (type_.schema is None and type_.name in refusing):
        ctx.error(
            "catalog",
            f'column "{column.name}" is of type {type_}: it takes no {what[2:]}',
            at=constant.get("location"),
            remedy="write it in quotes, as a constant of that type",
        )

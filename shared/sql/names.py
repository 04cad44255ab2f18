"""Names as trees carry them, and as reports show them: `orders`, `app."Team Members"`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shared.domain.identifiers import ident
from shared.sql.grammar import Node
from shared.sql.words import words

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_RESERVED = words("""
    all analyse analyze and any array as asc asymmetric both case cast check collate column
    constraint create current_catalog current_date current_role current_time current_timestamp
    current_user default deferrable desc distinct do else end except false fetch for foreign from
    grant group having in initially intersect into lateral leading limit localtime localtimestamp
    not null offset on only or order placing primary references returning select session_user some
    symmetric system_user table then to trailing true union unique user using variadic when where
    window with authorization binary collation concurrently cross current_schema freeze full ilike
    inner is isnull join left like natural notnull outer overlaps right similar tablesample
    verbose""")


@lru_cache(maxsize=8192)
def shown(schema: str | None, name: str) -> str:
    """The shortest name that means the object: `public` is left out, quotes only where needed."""
    if schema in (None, "", "public"):
        return quoted(name)
    return f"{quoted(schema or '')}.{quoted(name)}"


def quoted(name: str) -> str:
    """`name` as it must be written in SQL."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return ident(name) if name and "\x00" not in name else '""'


def strings(items: list[Node] | None) -> list[str]:
    """The text of a list of String nodes; `*` for a star."""
    found: list[str] = []
    for item in items or ():  # one item, mostly: a comprehension would take longer to be entered
        found.append(item["String"]["sval"] if "String" in item else "*")
    return found


def split_name(items: list[Node] | None) -> tuple[str | None, str]:
    """(schema, name) of a possibly qualified name in a list of String nodes."""
    parts = strings(items)
    return (parts[-2] if len(parts) > 1 else None), (parts[-1] if parts else "")


def range_var(node: Node) -> tuple[str | None, str]:
    """(schema, name) of a RangeVar, wrapped or not."""
    body: dict[str, Any] = node.get("RangeVar", node)
    return body.get("schemaname"), body.get("relname", "")


def option(options: list[Node] | None, name: str) -> Any:
    """The argument of the last DefElem of that name (True when it has none), else None."""
    for each in reversed(options or ()):
        element = each.get("DefElem", {})
        if element.get("defname") == name:
            return element.get("arg", True)
    return None


def flag(options: list[Node] | None, name: str) -> bool:
    """Whether a boolean DefElem such as `CONCURRENTLY` is given and not off."""
    given = option(options, name)
    if given is None or given is True:
        return bool(given)
    return scalar(given) not in ("off", "false", "0", 0, False)


def scalar(node: Any) -> Any:
    """The value of a constant or String node: str, int, bool or None when it is something else."""
    if not isinstance(node, dict):
        return node
    if "String" in node:
        return node["String"].get("sval", "")
    if "Integer" in node:
        return node["Integer"].get("ival", 0)
    if "Float" in node:
        return node["Float"].get("fval", "0")
    if "Boolean" in node:
        return node["Boolean"].get("boolval", False)
    if "TypeCast" in node:
        return scalar(node["TypeCast"].get("arg"))
    return _constant(node.get("A_Const")) if "A_Const" in node else None


def _constant(const: Any) -> Any:
    if not const or const.get("isnull"):
        return None
    for field, inner, zero in (("sval", "sval", ""), ("ival", "ival", 0), ("fval", "fval", "0")):
        if field in const:
            return const[field].get(inner, zero)
    return const["boolval"].get("boolval", False) if "boolval" in const else None

"""Values of a partition key in a form in which two are equal just when the server says so.

`'2'` is 2 for an integer, `'Jan 1, 2025'` a date that is not read here: what is not understood is
None, and rules nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import scalar, strings
from shared.sql.schema_objects import Relation, Type
from shared.sql.types import read_type

MOST_DIGITS = 1000
"""Before and behind the point: numbers beyond are looked at by nobody here."""


def key_value(ctx: Context, node: Node, parent: Relation, name: str) -> Any:
    """The value of a constant that is compared with a column, or put into it."""
    if parent.columns is None:
        return guessed(node)
    column = parent.columns.get(name)
    if column is None:
        return None
    if "ColumnRef" in node or "ParamRef" in node:
        node = _variable(ctx, node, parent, column.type)
    cast = node.get("TypeCast")
    if cast is not None and not _as_it_is(cast, column.type):
        return None
    return _read(ctx, scalar(node), column.type)


def guessed(node: Node) -> Any:
    """A constant for a column whose type is not known: what looks like a date is one."""
    value = scalar(node.get("TypeCast", {}).get("arg", node))
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _as_it_is(cast: Node, type_: Type) -> bool:
    """Whether the constant is written for the type of the column; varchar is compared as text."""
    named = read_type(cast["typeName"])
    if "TypeCast" in cast.get("arg", {}):
        return False
    if named.name == "text" and named.schema is None:
        return type_.name in ("text", "varchar") and named.array == type_.array
    return named in (type_, replace(type_, mods=()))


def _variable(ctx: Context, node: Node, parent: Relation, type_: Type) -> Node:
    """The constant that a variable of the body holds; nothing where it is none of the type."""
    fields = strings(node.get("ColumnRef", {}).get("fields"))
    name = fields[0] if len(fields) == 1 else f"${node.get('ParamRef', {}).get('number')}"
    held = ctx.constants.get(name)
    return held[1] if held and held[0] == type_.name and name not in (parent.columns or ()) else {}


def _read(ctx: Context, given: Any, type_: Type) -> Any:
    if given is None or type_.array:
        return None
    made = ctx.catalog.types.get(type_.key)
    if made is not None:
        if made.kind == "domain" and made.base is not None:
            return _read(ctx, given, made.base)
        return Label(given) if made.kind == "enum" and isinstance(given, str) else None
    reader = _READERS.get(type_.name)
    if reader is None or (type_.mods and type_.name not in _LIMITED):
        return None
    try:
        found = reader(given)
        return _instant(found, ctx) if type_.name == "timestamptz" else found
    except (ValueError, OverflowError, InvalidOperation):
        return None


class Label(str):
    """A value of an enum: equal as its text is, ordered as the type says."""

    __slots__ = ()


_DIGIT, _OTHER = re.compile("[1-9]"), re.compile("[^-0 :./]")


def _whole(given: Any) -> int | None:
    """Not of 2.0: integers are compared with numbers of another kind when the statement runs."""
    return int(given) if isinstance(given, int) or given.strip().lstrip("+-").isdigit() else None


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None


def _padded(given: Any) -> str | None:
    return given.rstrip(" ") if isinstance(given, str) else None


def _truth(given: Any) -> bool | None:
    return given if isinstance(given, bool) else _TRUTHS.get(str(given).strip().lower())


_TRUTHS = dict.fromkeys(("t", "true", "y", "yes", "on", "1"), True) | dict.fromkeys(
    ("f", "false", "n", "no", "off", "0"), False
)
"""By the words that people write; of what is cut short (`fal`) nothing is said."""


def _number(given: Any) -> Decimal | None:
    """Not NaN, which is equal to itself on the server and has a place there; nor what no column
    holds."""
    found = Decimal(given) if isinstance(given, int | str) else None
    usual = found is not None and found.is_finite() and abs(found.adjusted()) < MOST_DIGITS
    return found if usual else None


def _moment(given: Any) -> datetime:
    """Raises ValueError for what is no text, too."""
    return datetime.fromisoformat(str(given).strip())


def _day(given: Any) -> date:
    return _moment(given).date()


def _local(given: Any) -> datetime:
    """A timestamp without a zone passes over the one that is written."""
    return _moment(given).replace(tzinfo=None)


def _instant(found: datetime, ctx: Context) -> datetime:
    """Without a zone it is the session's; one without stays apart from one with it."""
    if found.tzinfo is None:
        zone = (ctx.setting("timezone") or "").lower()
        return found.replace(tzinfo=UTC) if zone in ("utc", "gmt", "etc/utc") else found
    return found.astimezone(UTC)


def _uuid(given: Any) -> UUID:
    return UUID(str(given).strip())


_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8"), _whole),
    **dict.fromkeys(("text", "varchar"), _text),
    "bpchar": _padded,
    "numeric": _number,
    "bool": _truth,
    "date": _day,
    "timestamp": _local,
    "timestamptz": _moment,
    "uuid": _uuid,
}
_LIMITED = frozenset({"varchar", "bpchar"})
"""Types whose limit refuses a value, and never rounds it."""


def ordered(one: Any, other: Any) -> bool:
    """Whether their order is that of their values: text has the order of its collation, and any
    collation orders numbers between the same marks (`2026-01-31`) in the same way."""
    if type(one) is type(other) is str:
        shape = _DIGIT.sub("0", one)
        return _DIGIT.sub("0", other) == shape and not _OTHER.search(shape)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return (one.tzinfo is None) == (other.tzinfo is None)
    return type(one) is type(other) and type(one) in (int, Decimal, date)

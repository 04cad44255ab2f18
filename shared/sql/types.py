"""Types: what a tree names, and whether a change of one to another copies the table.

Source: PostgreSQL manual, ALTER TABLE, Notes; pg_cast (binary coercible casts); every free and
not free change below was measured on 15, 16 and 18.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from shared.sql.catalog import Catalog
from shared.sql.grammar import Node
from shared.sql.names import scalar, strings
from shared.sql.schema_objects import Type
from shared.sql.words import words

SERIALS = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
BUILTIN = words("""
    bool int2 int4 int8 float4 float8 numeric money text varchar bpchar char name bytea bit
    varbit date time timetz timestamp timestamptz interval uuid json jsonb jsonpath xml inet cidr
    macaddr macaddr8 point line lseg box path polygon circle tsvector tsquery oid regclass regproc
    regprocedure regoper regoperator regtype regrole regnamespace regconfig regdictionary
    regcollation pg_lsn txid_snapshot pg_snapshot xid xid8 cid tid record void trigger
    event_trigger internal anyelement anyarray anynonarray anyenum anyrange anymultirange
    anycompatible anycompatiblearray anycompatiblenonarray anycompatiblerange cstring unknown any
    int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange
    nummultirange tsmultirange tstzmultirange datemultirange refcursor aclitem gtsvector
    language_handler fdw_handler index_am_handler tsm_handler table_am_handler pg_node_tree
    int2vector oidvector pg_ndistinct pg_dependencies pg_mcv_list pg_ddl_command""")
_COERCIBLE = frozenset(
    {
        ("varchar", "text"),
        ("text", "varchar"),
        ("cidr", "inet"),
        ("xml", "text"),
        ("xml", "varchar"),
    }
    | {("int4", "oid"), ("oid", "int4"), ("varbit", "bit"), ("bit", "varbit")}
    | {(reg, to) for reg in ("regclass", "regtype", "regproc") for to in ("oid", "int4")}
    | {(to, reg) for reg in ("regclass", "regtype", "regproc") for to in ("oid", "int4")}
)
_STRINGS = frozenset({"text", "varchar", "bpchar", "name", "char"})
_NUMBERS = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_ASSIGNABLE = (
    {(a, b) for a in _NUMBERS for b in _NUMBERS}
    | {(a, b) for a in _MOMENTS for b in _MOMENTS}
    | {("timestamp", "time"), ("timestamptz", "time"), ("timestamptz", "timetz")}
    | {("time", "timetz"), ("timetz", "time"), ("time", "interval"), ("interval", "time")}
    | {("json", "jsonb"), ("jsonb", "json"), ("inet", "cidr"), ("macaddr", "macaddr8")}
    | {("macaddr8", "macaddr"), ("bit", "varbit"), ("varbit", "bit"), ("int4", "money")}
    | {("int8", "money"), ("numeric", "money"), ("money", "numeric"), ("int8", "oid")}
    | {("oid", "int8"), ("int2", "oid"), ("circle", "polygon"), ("box", "polygon")}
)

Change = Literal["same", "free", "moves-with-time-zone", "copies"]


def read_type(node: Node) -> Type:
    """The type that a TypeName tree names; a serial is the integer it stands for."""
    names = tuple(strings(node.get("names")))
    mods: tuple[int, ...] = ()
    if "typmods" in node:
        mods = tuple([int(m) for m in map(scalar, node["typmods"]) if _whole(m)])
    return _named(names, mods, "arrayBounds" in node)


@lru_cache(maxsize=4096)
def _named(names: tuple[str, ...], mods: tuple[int, ...], array: bool) -> Type:
    schema = names[-2] if len(names) > 1 else None
    name = names[-1] if names else "unknown"
    if schema in (None, "pg_catalog"):
        name = SERIALS.get(name, name)
        schema = None
    return Type(name, schema, mods[1:] if name == "interval" else mods, array)


def is_serial(node: Node) -> bool:
    names = node.get("names", ())
    return len(names) == 1 and names[0]["String"]["sval"] in SERIALS


def change(old: Type, new: Type, catalog: Catalog, path: list[str]) -> Change:
    """What storing `old` values as `new` costs, without a USING expression."""
    old, new = resolved(old, catalog, path), resolved(new, catalog, path)
    if old == new:
        return "same"
    target = catalog.types.get(new.key)
    if target is not None and target.kind == "domain":
        if target.constrained or target.base is None or new.array:
            return "copies"
        return change(old, target.base, catalog, path)
    origin = catalog.types.get(old.key)
    if origin is not None and origin.kind == "domain" and origin.base is not None:
        limited = bool(new.mods)  # the limit is applied anew: that of the domain does not count
        return "copies" if limited else change(origin.base, new, catalog, path)
    if old.array or new.array:
        return "copies"
    if (old.name, new.name) in (("timestamp", "timestamptz"), ("timestamptz", "timestamp")):
        return "moves-with-time-zone" if new.mods in ((), (6,)) else "copies"
    if old.name == new.name:
        return "free" if _not_narrower(old, new) else "copies"
    if (old.name, new.name) in _COERCIBLE:
        return "free" if not new.mods or _wide_enough(old, new) else "copies"
    return "copies"


def assignable(old: Type, new: Type, catalog: Catalog, path: list[str]) -> bool:
    """Whether PostgreSQL converts without USING ("cannot be cast automatically" when not)."""
    old, new = (
        base_type(resolved(old, catalog, path), catalog),
        base_type(resolved(new, catalog, path), catalog),
    )
    if old.array != new.array:
        return not old.array or new.name in _STRINGS
    if (old.schema, old.name) == (new.schema, new.name) or new.name in _STRINGS:
        return True
    if old.schema or new.schema:
        return old.schema not in (None,) and old.name not in _STRINGS and old.schema == new.schema
    return (old.name, new.name) in _ASSIGNABLE or (old.name, new.name) in _COERCIBLE


def resolved(type_: Type, catalog: Catalog, path: list[str]) -> Type:
    """With the schema of the user's type that the search path finds."""
    if type_.schema is not None or type_.name in BUILTIN:
        return type_
    found = catalog.type(None, type_.name, path)
    return Type(type_.name, found.schema, type_.mods, type_.array) if found else type_


def base_type(type_: Type, catalog: Catalog) -> Type:
    """The type behind a domain, behind all domains."""
    found = catalog.types.get(type_.key)
    if found is not None and found.kind == "domain" and found.base is not None:
        return base_type(found.base, catalog)
    return type_


def _not_narrower(old: Type, new: Type) -> bool:
    if old.name in ("bpchar", "bit"):
        return old.mods == new.mods
    if not new.mods:
        return True
    if not old.mods:
        return False
    if old.name == "numeric":
        scales = [type_.mods[1] if len(type_.mods) > 1 else 0 for type_ in (old, new)]
        return scales[0] == scales[1] and new.mods[0] >= old.mods[0]
    return new.mods[0] >= old.mods[0]


def _wide_enough(old: Type, new: Type) -> bool:
    """Text with a new limit is copied; varbit(n) as a wider bit string of another name too."""
    return bool(old.mods) and old.name == "varchar" and new.name == "varchar"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

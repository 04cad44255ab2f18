"""Types and routines of a live catalog, and which of them run without being called by name."""

from __future__ import annotations

from shared.adapters.schema.catalog_dependencies import Rows
from shared.adapters.schema.printed import printed_result, printed_type
from shared.sql.catalog import Catalog
from shared.sql.effects import NONE
from shared.sql.schema_objects import Implying, Key, Routine, UserType

_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
_ROUTINE_KINDS = {"f": "function", "p": "procedure", "a": "aggregate", "w": "function"}


def read_routines(rows: Rows, catalog: Catalog) -> None:
    """`rows` answers a query of catalog_reader.sql."""
    _types(rows, catalog)
    _routines(rows, catalog)
    _implied(rows, catalog)


def _types(rows: Rows, catalog: Catalog) -> None:
    kinds = {"e": "enum", "d": "domain", "c": "composite", "r": "range"}
    for schema, name, kind, labels, base, not_null, constraints, parts in rows("types"):
        found = UserType(schema, name, kinds.get(kind, "base"))  # type: ignore[arg-type]
        found.labels = list(labels or ())
        found.base = printed_type(base) if base else None
        found.constraints = set(constraints or ())
        found.constrained = bool(not_null or constraints)
        found.attributes = {part: printed_type(type_) for part, type_ in parts or ()}
        catalog.types[found.key] = found


def _routines(rows: Rows, catalog: Catalog) -> None:
    for schema, name, kind, arguments, returns, volatility, language, body, text in rows(
        "routines"
    ):
        key: Key = (schema, name)
        routine = Routine(
            schema,
            name,
            kind=_ROUTINE_KINDS[kind],  # type: ignore[arg-type]
            arguments=tuple(str(printed_type(each)) for each in arguments or ()),
            returns=printed_result(returns),
            volatility=_VOLATILITY[volatility],  # type: ignore[arg-type]
            language=language,
            body=body,
            definition=text or "",
        )
        catalog.routines.setdefault(key, []).append(routine)


def _implied(rows: Rows, catalog: Catalog) -> None:
    implied = catalog.implied
    for kind, name, function in rows("implied"):
        implied[(kind, name)] = implied.get((kind, name), NONE) | {function}
    for domain in [each for each in catalog.types.values() if each.kind == "domain"]:
        if asked := implied.get(("domain", domain.name)):
            for made_of_it in catalog.domains_over(domain.key):
                key: tuple[Implying, str] = ("domain", made_of_it.name)
                implied[key] = implied.get(key, NONE) | asked

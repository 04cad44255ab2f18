"""Values of the user's types inside others: in arrays, domains, composites, ranges.

Such a value lands as text. What comes back must be one that the source's type takes: replication
would stop there otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.mapping.snapshot import SeenColumn, Snapshot
from shared.mapping.trace import Trace

TAKEN_APART = "ad"
"""Kinds of types whose values are asked about piece by piece: arrays and domains."""


def within(snapshot: Snapshot, oid: int, kinds: str = "") -> frozenset[int]:
    """The type and all that its values hold, however deep; `kinds`: only through such types."""
    found, waiting = {oid}, [oid]
    while waiting:
        structure = snapshot.structures.get(waiting.pop())
        if structure is not None and (not kinds or structure.kind in kinds):
            waiting += [inner for inner in structure.inner if inner not in found]
            found |= set(structure.inner)
    return frozenset(found)


def check_labels_stay(column: SeenColumn, trace: Trace) -> None:
    """Raises Refused where a value that landed before would come back under a name that is no
    more."""
    for oid in within(trace.before, column.type_oid):
        known = trace.before.labels.get(oid, {})
        last = trace.after.labels.get(oid, {})
        if any(last.get(number, label) != label for number, label in known.items()):
            raise Refused(
                f"{column.name} is computed or gets other values, and {trace.before.types[oid]} has"
                " renamed ones",
                remedy="rename the values of the type in a migration of its own",
            )


def known_values(column: SeenColumn, trace: Trace) -> list[str]:
    """Conditions over the column's name, of which the text that landed must break none.

    Raises Refused where they cannot be asked.
    """
    return list(_known(column.type_oid, ident(column.name), column, trace))


def _known(oid: int, value: str, column: SeenColumn, trace: Trace) -> Iterator[str]:
    structure = trace.before.structures.get(oid)
    if structure is None:
        return
    if structure.kind == "e":
        known = trace.before.labels.get(oid, {"": ""}).values()
        labels = ", ".join(literal(label) for label in known)
        yield f"({value})::text IN ({labels})"
    elif structure.kind == "a":
        each = list(_known(structure.inner[0], "each.value", column, trace))
        for condition in each:
            yield (
                f"NOT EXISTS (SELECT FROM unnest(({value})::text[]) AS each(value)"
                f" WHERE NOT coalesce({condition}, true))"
            )
    elif structure.kind == "d":
        domain = trace.before.domains[oid]
        base = f"(SELECT ({value})::{domain.base} AS value) AS d"
        yield from _known(structure.inner[0], value, column, trace)
        yield from (f"(SELECT {condition} FROM {base})" for condition in domain.conditions)
    elif _holds_users_values(oid, trace.before):
        if not _is_the_same(oid, trace):
            raise Refused(
                f"{column.name} is computed, and type {structure.name}, which its old values are"
                " of, is dropped or changed: what is written afterwards could not come back",
                remedy="keep the type as it is until a migration after this one",
            )
        yield f"coalesce((({value})::{trace.after.types[oid]})::text, '') >= ''"


def _holds_users_values(oid: int, snapshot: Snapshot) -> bool:
    """A composite, a range of the user's, a type of an extension: only its own input function knows
    what it takes."""
    return oid in snapshot.types


def _is_the_same(oid: int, trace: Trace) -> bool:
    """The type and all that it holds take the same values in the end."""
    before, after = trace.before, trace.after
    return all(
        before.labels.get(each) == after.labels.get(each)
        and before.domains.get(each) == after.domains.get(each)
        and (each not in before.types or each in after.types)
        for each in within(before, oid)
    )


def grown_columns(
    columns: tuple[SeenColumn, ...], grown: set[int], snapshot: Snapshot
) -> list[SeenColumn]:
    """Those whose values may be of a type that takes more than it did. Raises Refused where such a
    value stands inside of one that is not taken apart."""
    found = []
    for column in columns:
        if within(snapshot, column.type_oid, TAKEN_APART) & grown:
            found.append(column)
        elif inside := within(snapshot, column.type_oid) & grown:
            name = snapshot.types[min(inside)]
            raise Refused(
                f"type {name} takes more values afterwards, and {column.name} holds them inside of"
                f" {column.type}: the old side would stop at the first one that comes back",
                remedy=f"change type {name} in a safe migration before this one",
            )
    return found

"""The sequences that columns bring with them, and who else draws from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from shared.sql.chosen_names import chosen
from shared.sql.context import Context
from shared.sql.definitions import drawn_from
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.schema_objects import Column, Key, Relation


def own_sequence(ctx: Context, relation: Relation, column: str) -> Key:
    """The sequence behind a serial or identity column."""
    number, ending = 0, "seq"
    while (relation.schema, chosen(relation.name, [column], ending)) in ctx.catalog.relations:
        number += 1
        ending = f"seq{number}"
    name = chosen(relation.name, [column], ending)
    sequence = Relation(
        relation.schema, name, "sequence", new=relation.new, owned_by=(relation.key, column)
    )
    ctx.catalog.note(ctx.catalog.relations.setdefault(sequence.key, sequence))
    return sequence.key


def loses_drawers(
    ctx: Context,
    sequence: Relation,
    operation: Operation,
    going: Collection[Key] = (),
    *,
    cascade: bool,
) -> None:
    """A sequence that goes, alone or with the column it belongs to: defaults of others that draw
    from it keep it, and CASCADE takes them away. `going`: tables that go with it."""
    for relation, column in _drawing(ctx, sequence):
        if relation.key in going:
            continue
        if cascade:
            operation.gone += (f"default of {relation.shown}.{column.name}",)
            operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
            column.has_default, column.default, column.sequence = False, None, None
        else:
            ctx.error(
                "catalog",
                f"cannot drop sequence {sequence.shown}: the default of "
                f"{relation.shown}.{column.name} needs it",
                remedy=_remedy(sequence, relation, column),
            )


def _remedy(sequence: Relation, relation: Relation, column: Column) -> str:
    if sequence.owned_by is None or sequence.owned_by[0] == relation.key:
        return "drop the default first, or say CASCADE"
    owner = f"{relation.shown}.{column.name}"
    return f"it goes with its column: ALTER SEQUENCE {sequence.shown} OWNED BY {owner} first"


def _drawing(ctx: Context, sequence: Relation) -> Iterator[tuple[Relation, Column]]:
    names = {sequence.name, f"{sequence.schema}.{sequence.name}"}
    for relation in ctx.catalog.relations.values():
        for column in (relation.columns or {}).values():
            if column.sequence == sequence.key or drawn_from(column.default) in names:
                yield relation, column

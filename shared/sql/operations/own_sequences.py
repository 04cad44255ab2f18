"""The sequences that columns bring with them."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.schema_objects import Key, Relation


def own_sequence(ctx: Context, relation: Relation, column: str) -> Key:
    """The sequence behind a serial or identity column."""
    name = f"{relation.name}_{column}_seq"
    sequence = Relation(
        relation.schema, name, "sequence", new=relation.new, owned_by=(relation.key, column)
    )
    ctx.catalog.note(ctx.catalog.relations.setdefault(sequence.key, sequence))
    return sequence.key

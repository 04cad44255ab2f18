"""Types of which equal values are equal in every byte, and what is to be done about all others.

PostgreSQL calls 1.0 and 1.00 equal, and texts under a nondeterministic collation. A migration must
not: both are told apart here, at the least cost that the type allows.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.mapping.expressions import differs
from shared.mapping.model import Column

TEXTS = {"text", "character varying"}
INTEGERS = {"smallint", "integer", "bigint"}
BY_BYTES = {
    "boolean", "uuid", "date", "bytea", "oid", "time without time zone",
    "timestamp without time zone", "timestamp with time zone",
}  # fmt: skip
"""Types of which equal values are equal in every byte."""


def exact(column: Column, value: str) -> str:
    """The value as something whose hash is that of its bytes, and alike on both sides.

    Most types hash what is equal alike: 1.0 and 1.00 would not be told apart. Those go as text.
    """
    kinds = {column.type.partition("(")[0], (column.source_type or column.type).partition("(")[0]}
    if kinds <= TEXTS:
        return f'{value}::text COLLATE "C"'
    if kinds <= INTEGERS:
        return value if len(kinds) == 1 else f"{value}::bigint"
    return value if len(kinds) == 1 and kinds <= BY_BYTES else f'{value}::text COLLATE "C"'


def changed_bytes(column: Column) -> str:
    """In a trigger for UPDATE, in state sync: whether any byte of that column changed."""
    old, new = (f"{row}.{ident(column.sync)}" for row in ("old", "new"))
    kind = column.type.partition("(")[0]
    if kind in TEXTS:
        return f'{old} COLLATE "C" IS DISTINCT FROM {new} COLLATE "C"'
    if kind in INTEGERS | BY_BYTES:
        return f"{old} IS DISTINCT FROM {new}"
    return differs([new], [old])

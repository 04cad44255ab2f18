"""Which tables a job's file touches: whose rows belong to its rollback point.

The rehearsal knows them exactly; before it, every relation that the file names is taken. Names
that turn out to be no table of the active side are left out when the dump begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.facts import Rehearsal
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.mapping.model import Mapping
from shared.sql.parse import Statement, statements

_NAMED_BY_THEIR_TABLE = ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")


def affected_tables(job: Job) -> list[str]:
    """Quoted names as they are on the active side, in order."""
    rehearsal = Rehearsal.maybe(job)
    if rehearsal is not None:
        return sorted(_in_mapping(Mapping.model_validate(rehearsal.mapping)))
    return sorted({name for statement in statements(job.sql) for name in _in_file(statement)})


def _in_mapping(mapping: Mapping) -> Iterator[str]:
    for table in mapping.changed_tables:
        yield table.sync.sql
    for name in mapping.dropped:
        yield name.sql


def _in_file(statement: Statement) -> Iterator[str]:
    yield from _relations(statement.node)
    if statement.tag == "DropStmt":
        own = statement.node.get("removeType") in _NAMED_BY_THEIR_TABLE
        for item in statement.node.get("objects", []):
            parts = [part["String"]["sval"] for part in item.get("List", {}).get("items", [])]
            names = parts[:-1] if own else parts
            if names:
                yield ident(*names)


def _relations(node: Any) -> Iterator[str]:
    """Every RangeVar below `node`."""
    if isinstance(node, list):
        for item in node:
            yield from _relations(item)
    elif isinstance(node, dict):
        if "relname" in node:
            schema = node.get("schemaname")
            yield ident(schema, node["relname"]) if schema else ident(node["relname"])
        for value in node.values():
            yield from _relations(value)

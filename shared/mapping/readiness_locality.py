"""Expressions that the text alone shows to depend on more than their own row.

What the text cannot tell, the server's analysed tree does (locality.py), in a rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.mapping.locality import SESSION_FUNCTIONS
from shared.mapping.statements import MAINTENANCE_REMEDY, refused
from shared.sql.builtins import functions
from shared.sql.expressions import walk
from shared.sql.names import split_name
from shared.sql.parse import Statement


def check_local(statement: Statement) -> None:
    """Raises Refused for an UPDATE, or a USING, that computes from more than the row."""
    for part in _expressions(statement):
        for tag, body in walk(part):
            if why := _not_local(tag, body):
                raise refused(
                    statement,
                    f"it depends on {why}, so rows that are written later cannot follow",
                    MAINTENANCE_REMEDY,
                )


def _expressions(statement: Statement) -> Iterator[Any]:
    if statement.tag == "UpdateStmt":
        yield statement.node.get("targetList")
        yield statement.node.get("whereClause")
    elif statement.tag == "AlterTableStmt":
        for wrapped in statement.node.get("cmds", ()):
            if wrapped["AlterTableCmd"].get("subtype") == "AT_AlterColumnType":
                yield wrapped["AlterTableCmd"].get("def")


def _not_local(tag: str, body: Any) -> str:
    if tag == "SubLink":
        return "a sub-select"
    if tag == "SQLValueFunction":
        return "the time or the user of the session"
    if tag != "FuncCall":
        return ""
    if body.get("over"):
        return "a window function"
    schema, name = split_name(body.get("funcname"))
    if schema not in (None, "pg_catalog"):
        return ""
    known = functions().get(name)
    if known is not None and known.volatility == "volatile":
        return f"the volatile function {name}"
    return f"the function {name}" if name in SESSION_FUNCTIONS else ""

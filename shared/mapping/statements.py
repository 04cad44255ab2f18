"""What every reader of the file's statements asks of one: its tree, and parts of that as SQL."""

from __future__ import annotations

from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.sql.parse import Statement

WHOLE_REINDEX = ("REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM")
MAINTENANCE_REMEDY = "compute from the row's own columns, or use --type maintenance"


def refused(statement: Statement, why: str, remedy: str) -> Refused:
    """A refusal that names statement and line."""
    head = " ".join(statement.text.split())
    head = head if len(head) <= 90 else head[:87] + "..."
    return Refused(f"line {statement.line}: {why}: {head}", remedy=remedy)


def runs_alone(statement: Statement) -> bool:
    """Whether PostgreSQL runs it in no transaction block."""
    node = statement.node
    if statement.tag in ("IndexStmt", "DropStmt"):
        return bool(node.get("concurrent"))
    if statement.tag == "ReindexStmt":
        names = [item["DefElem"].get("defname") for item in node.get("params", ())]
        return "concurrently" in names or node.get("kind") in WHOLE_REINDEX
    return statement.tag == "VacuumStmt" and bool(node.get("is_vacuumcmd"))


def dropped_constraints(statement: Statement) -> tuple[str, tuple[str, ...]] | None:
    """The relation and the names of the constraints that an ALTER TABLE drops by name."""
    if statement.tag != "AlterTableStmt":
        return None
    tree = tree_of(statement).alter_table_stmt
    commands = [item.alter_table_cmd for item in tree.cmds]
    names = tuple(c.name for c in commands if c.subtype == pb.AT_DropConstraint)
    return (relation_of(tree.relation), names) if names else None


def tree_of(statement: Statement) -> Any:
    """The protobuf tree: only of it an expression can be turned into SQL again."""
    return postgast.parse(statement.text).stmts[0].stmt


def as_sql(node: Any) -> str:
    """An expression node as SQL: wrapped into a SELECT, deparsed, and taken out again."""
    query = pb.ParseResult()
    select = query.stmts.add().stmt.select_stmt
    select.target_list.add().res_target.val.CopyFrom(node)
    select.limit_option = pb.LIMIT_OPTION_DEFAULT
    select.op = pb.SETOP_NONE
    return str(postgast.deparse(query)).removeprefix("SELECT ")


def relation_of(node: Any) -> str:
    """As SQL text that `to_regclass` understands."""
    return ident(node.schemaname, node.relname) if node.schemaname else ident(node.relname)

"""What a statement of the file computes, from its syntax tree; and what no mapping can carry.

Kinds of statements are allow-listed: what is not known to leave the rows of existing tables alone,
or to change them by an expression over the row itself, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from shared.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the file."""

    line: int
    text: str
    tree: Any
    """The protobuf node inside `RawStmt.stmt`."""
    kind: str
    """Name of its field: `alter_table_stmt`."""


@dataclass(frozen=True, slots=True)
class DataChange:
    """New values for columns of every row (that meets `condition`), from the row itself."""

    relation: str
    """As SQL text that `to_regclass` understands."""
    alias: str
    assignments: tuple[tuple[str, str], ...]
    """Column, and the expression as SQL."""
    condition: str | None = None
    retypes: bool = False
    """An ALTER COLUMN TYPE; otherwise an UPDATE."""


def refused(statement: Statement, why: str, remedy: str) -> Refused:
    """A refusal that names statement and line."""
    head = " ".join(statement.text.split())
    head = head if len(head) <= 90 else head[:87] + "..."
    return Refused(f"line {statement.line}: {why}: {head}", remedy=remedy)


def read_statements(sql: str) -> list[Statement]:
    """Split the file. Raises Refused for text that the grammar does not accept."""
    data = sql.encode()
    try:
        parsed = postgast.parse(sql)
    except postgast.PgQueryError as error:
        raise Refused(f"the file cannot be parsed: {error}", remedy="mend the file") from error
    found = []
    for raw in parsed.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(data)
        text = data[raw.stmt_location : end].decode().strip()
        kind = raw.stmt.WhichOneof("node")
        start = raw.stmt_location + _leading(data[raw.stmt_location : end])
        line = data.count(b"\n", 0, start) + 1
        found.append(Statement(line, text, getattr(raw.stmt, kind), kind))
    return found


def _leading(piece: bytes) -> int:
    return len(piece) - len(piece.lstrip())


def data_changes(statement: Statement) -> list[DataChange]:
    """What the statement computes on existing rows. Raises Refused for what no trigger can do."""
    if statement.kind == "alter_table_stmt":
        return list(_retypes(statement))
    if statement.kind == "update_stmt":
        return [_update(statement)]
    return []


def _retypes(statement: Statement) -> Iterator[DataChange]:
    """All USING of one ALTER TABLE: they see the same old row, so they are one change."""
    tree = statement.tree
    assignments = []
    for item in tree.cmds:
        command = item.alter_table_cmd
        if command.subtype != pb.AT_AlterColumnType:
            continue
        definition = getattr(command, "def").column_def
        has_using = definition.HasField("raw_default")
        expression = _sql(definition.raw_default) if has_using else _quoted(command.name)
        assignments.append((command.name, expression))
    if assignments and tree.objtype == pb.OBJECT_TABLE:
        relation = tree.relation
        yield DataChange(_relation(relation), relation.relname, tuple(assignments), retypes=True)


def _update(statement: Statement) -> DataChange:
    tree = statement.tree
    for part, word in (("from_clause", "FROM"), ("returning_list", "RETURNING")):
        if getattr(tree, part, None):
            raise _not_row_local(statement, f"UPDATE with {word}")
    if tree.HasField("with_clause"):
        raise _not_row_local(statement, "UPDATE with WITH")
    assignments = [_assigned(statement, item.res_target) for item in tree.target_list]
    condition = _sql(tree.where_clause) if tree.HasField("where_clause") else None
    alias = tree.relation.alias.aliasname or tree.relation.relname
    return DataChange(_relation(tree.relation), alias, tuple(assignments), condition)


def _assigned(statement: Statement, target: Any) -> tuple[str, str]:
    if target.indirection:
        raise refused(
            statement,
            "an UPDATE of a part of a column cannot be carried to rows that are written later",
            "assign the whole column",
        )
    value = target.val
    kind = value.WhichOneof("node")
    if kind == "set_to_default":
        raise refused(statement, "SET column = DEFAULT cannot be carried", "write the value itself")
    if kind != "multi_assign_ref":
        return target.name, _sql(value)
    source = value.multi_assign_ref.source
    if source.WhichOneof("node") != "row_expr":
        raise _not_row_local(statement, "UPDATE with a sub-select")
    return target.name, _sql(source.row_expr.args[value.multi_assign_ref.colno - 1])


def _not_row_local(statement: Statement, what: str) -> Refused:
    return refused(
        statement,
        f"{what} is not a function of the row itself, so rows written later cannot follow",
        "compute from the row's own columns, or use --type maintenance",
    )


def _sql(node: Any) -> str:
    """An expression node as SQL: wrapped into a SELECT, deparsed, and taken out again."""
    query = pb.ParseResult()
    select = query.stmts.add().stmt.select_stmt
    select.target_list.add().res_target.val.CopyFrom(node)
    select.limit_option = pb.LIMIT_OPTION_DEFAULT
    select.op = pb.SETOP_NONE
    return str(postgast.deparse(query)).removeprefix("SELECT ")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _relation(node: Any) -> str:
    parts = [node.schemaname, node.relname] if node.schemaname else [node.relname]
    return ".".join(_quoted(part) for part in parts)

"""New values that a statement computes for existing rows: ALTER COLUMN TYPE, and UPDATE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.mapping.statements import MAINTENANCE_REMEDY, as_sql, refused, relation_of, tree_of
from shared.sql.parse import Statement


@dataclass(frozen=True, slots=True)
class Assigned:
    column: str
    expression: str
    """As SQL."""
    plain: bool = False
    """The column itself, or the column cast: nothing but its type changes."""


@dataclass(frozen=True, slots=True)
class DataChange:
    """New values for columns of every row (that meets `condition`), from the row itself."""

    relation: str
    """As SQL text that `to_regclass` understands."""
    alias: str
    assignments: tuple[Assigned, ...]
    condition: str | None = None
    retypes: bool = False
    """An ALTER COLUMN TYPE; otherwise an UPDATE."""


def data_changes(statement: Statement) -> list[DataChange]:
    """What the statement computes on existing rows. Raises Refused for what no trigger can do."""
    if statement.tag == "AlterTableStmt":
        return list(_retypes(tree_of(statement).alter_table_stmt))
    if statement.tag == "UpdateStmt":
        return [_update(statement, tree_of(statement).update_stmt)]
    return []


def _retypes(tree: Any) -> Iterator[DataChange]:
    """All USING of one ALTER TABLE: they see the same old row, so they are one change."""
    assignments = []
    for item in tree.cmds:
        command = item.alter_table_cmd
        if command.subtype != pb.AT_AlterColumnType:
            continue
        definition = getattr(command, "def").column_def
        has_using = definition.HasField("raw_default")
        expression = as_sql(definition.raw_default) if has_using else ident(command.name)
        plain = not has_using or _is_column(definition.raw_default, command.name)
        assignments.append(Assigned(command.name, expression, plain))
    if assignments and tree.objtype == pb.OBJECT_TABLE:
        relation = tree.relation
        yield DataChange(relation_of(relation), relation.relname, tuple(assignments), retypes=True)


def _update(statement: Statement, tree: Any) -> DataChange:
    if tree.from_clause:
        raise _not_row_local(statement, "UPDATE with FROM")
    for part, word in (("with_clause", "WITH"), ("returning_clause", "RETURNING")):
        if tree.HasField(part):
            raise _not_row_local(statement, f"UPDATE with {word}")
    assignments = [_assigned(statement, item.res_target) for item in tree.target_list]
    condition = as_sql(tree.where_clause) if tree.HasField("where_clause") else None
    alias = tree.relation.alias.aliasname or tree.relation.relname
    return DataChange(relation_of(tree.relation), alias, tuple(assignments), condition)


def _assigned(statement: Statement, target: Any) -> Assigned:
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
        return Assigned(target.name, as_sql(value))
    source = value.multi_assign_ref.source
    if source.WhichOneof("node") != "row_expr":
        raise _not_row_local(statement, "UPDATE with a sub-select")
    argument = source.row_expr.args[value.multi_assign_ref.colno - 1]
    return Assigned(target.name, as_sql(argument))


def _not_row_local(statement: Statement, what: str) -> Refused:
    return refused(
        statement,
        f"{what} is not a function of the row itself, so rows written later cannot follow",
        MAINTENANCE_REMEDY,
    )


def _is_column(node: Any, name: str) -> bool:
    """`name`, or `name::type`."""
    if node.WhichOneof("node") == "type_cast":
        return _is_column(node.type_cast.arg, name)
    if node.WhichOneof("node") != "column_ref":
        return False
    fields = node.column_ref.fields
    return len(fields) == 1 and bool(fields[0].string.sval == name)

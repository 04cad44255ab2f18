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
from shared.domain.identifiers import ident
from shared.sql.parse import Statement

WHOLE_REINDEX = ("REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM")
MAINTENANCE_REMEDY = "compute from the row's own columns, or use --type maintenance"


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


def data_changes(statement: Statement) -> list[DataChange]:
    """What the statement computes on existing rows. Raises Refused for what no trigger can do."""
    if statement.tag == "AlterTableStmt":
        return list(_retypes(_tree(statement).alter_table_stmt))
    if statement.tag == "UpdateStmt":
        return [_update(statement, _tree(statement).update_stmt)]
    return []


@dataclass(frozen=True, slots=True)
class TableCopy:
    """Rows of a new table, one for each row of another (that meets `condition`)."""

    target: str
    source: str
    """Both as SQL text that `to_regclass` understands."""
    alias: str
    columns: tuple[str, ...]
    """Of the target, as the statement lists them; empty: in their order."""
    expressions: tuple[str, ...]
    """`*` for every column of the source."""
    bare: tuple[str | None, ...]
    """For each expression the column of the source that it is, unchanged."""
    condition: str | None = None


def table_copy(statement: Statement) -> TableCopy | None:
    """What an INSERT ... SELECT or CREATE TABLE AS copies; None for another statement.

    Raises Refused where it is not one row for one row.
    """
    tree = _tree(statement)
    if statement.tag == "InsertStmt":
        insert = tree.insert_stmt
        select = insert.select_stmt.select_stmt
        if not select.from_clause:
            return None
        if insert.HasField("on_conflict_clause") or insert.HasField("returning_clause"):
            raise _not_one_to_one(statement, "ON CONFLICT or RETURNING")
        columns = tuple(item.res_target.name for item in insert.cols)
        return _copy(statement, _relation(insert.relation), columns, select)
    if (
        statement.tag == "CreateTableAsStmt"
        and tree.create_table_as_stmt.objtype == pb.OBJECT_TABLE
    ):
        create = tree.create_table_as_stmt
        if create.into.skip_data:
            return None
        columns = tuple(item.string.sval for item in create.into.col_names)
        return _copy(statement, _relation(create.into.rel), columns, create.query.select_stmt)
    return None


def _copy(statement: Statement, target: str, columns: tuple[str, ...], select: Any) -> TableCopy:
    for part in ("group_clause", "distinct_clause", "window_clause", "values_lists"):
        if getattr(select, part):
            raise _not_one_to_one(statement, part.split("_")[0].upper())
    for part in ("having_clause", "with_clause", "limit_count", "limit_offset"):
        if select.HasField(part):
            raise _not_one_to_one(statement, part.split("_")[0].upper())
    if select.op not in (pb.SETOP_NONE, pb.SET_OPERATION_UNDEFINED):
        raise _not_one_to_one(statement, "UNION and the like")
    if len(select.from_clause) != 1 or select.from_clause[0].WhichOneof("node") != "range_var":
        raise _not_one_to_one(statement, "more than one table")
    source = select.from_clause[0].range_var
    values = [item.res_target.val for item in select.target_list]
    return TableCopy(
        target=target,
        source=_relation(source),
        alias=source.alias.aliasname or source.relname,
        columns=columns,
        expressions=tuple("*" if _is_star(value) else _sql(value) for value in values),
        bare=tuple(_column(value) for value in values),
        condition=_sql(select.where_clause) if select.HasField("where_clause") else None,
    )


def _not_one_to_one(statement: Statement, what: str) -> Refused:
    return refused(
        statement,
        f"rows that are copied with {what} could not follow what is written later",
        "copy one row for one row, by key; or put `-- bluegreen: at-cutover` before the statement"
        " (it runs in the pause)",
    )


def _is_star(node: Any) -> bool:
    if node.WhichOneof("node") != "column_ref":
        return False
    fields = node.column_ref.fields
    return bool(fields[len(fields) - 1].WhichOneof("node") == "a_star")


def _column(node: Any) -> str | None:
    """The name of the column that the node is, qualified or not."""
    if node.WhichOneof("node") != "column_ref" or _is_star(node):
        return None
    return str(node.column_ref.fields[-1].string.sval)


def dropped_constraints(statement: Statement) -> tuple[str, tuple[str, ...]] | None:
    """The relation and the names of the constraints that an ALTER TABLE drops by name."""
    if statement.tag != "AlterTableStmt":
        return None
    tree = _tree(statement).alter_table_stmt
    commands = [item.alter_table_cmd for item in tree.cmds]
    names = tuple(c.name for c in commands if c.subtype == pb.AT_DropConstraint)
    return (_relation(tree.relation), names) if names else None


def _tree(statement: Statement) -> Any:
    """The protobuf tree: only of it an expression can be turned into SQL again."""
    return postgast.parse(statement.text).stmts[0].stmt


def _retypes(tree: Any) -> Iterator[DataChange]:
    """All USING of one ALTER TABLE: they see the same old row, so they are one change."""
    assignments = []
    for item in tree.cmds:
        command = item.alter_table_cmd
        if command.subtype != pb.AT_AlterColumnType:
            continue
        definition = getattr(command, "def").column_def
        has_using = definition.HasField("raw_default")
        expression = _sql(definition.raw_default) if has_using else ident(command.name)
        plain = not has_using or _is_column(definition.raw_default, command.name)
        assignments.append(Assigned(command.name, expression, plain))
    if assignments and tree.objtype == pb.OBJECT_TABLE:
        relation = tree.relation
        yield DataChange(_relation(relation), relation.relname, tuple(assignments), retypes=True)


def _update(statement: Statement, tree: Any) -> DataChange:
    if tree.from_clause:
        raise _not_row_local(statement, "UPDATE with FROM")
    for part, word in (("with_clause", "WITH"), ("returning_clause", "RETURNING")):
        if tree.HasField(part):
            raise _not_row_local(statement, f"UPDATE with {word}")
    assignments = [_assigned(statement, item.res_target) for item in tree.target_list]
    condition = _sql(tree.where_clause) if tree.HasField("where_clause") else None
    alias = tree.relation.alias.aliasname or tree.relation.relname
    return DataChange(_relation(tree.relation), alias, tuple(assignments), condition)


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
        return Assigned(target.name, _sql(value))
    source = value.multi_assign_ref.source
    if source.WhichOneof("node") != "row_expr":
        raise _not_row_local(statement, "UPDATE with a sub-select")
    argument = source.row_expr.args[value.multi_assign_ref.colno - 1]
    return Assigned(target.name, _sql(argument))


def _not_row_local(statement: Statement, what: str) -> Refused:
    return refused(
        statement,
        f"{what} is not a function of the row itself, so rows written later cannot follow",
        MAINTENANCE_REMEDY,
    )


def _sql(node: Any) -> str:
    """An expression node as SQL: wrapped into a SELECT, deparsed, and taken out again."""
    query = pb.ParseResult()
    select = query.stmts.add().stmt.select_stmt
    select.target_list.add().res_target.val.CopyFrom(node)
    select.limit_option = pb.LIMIT_OPTION_DEFAULT
    select.op = pb.SETOP_NONE
    return str(postgast.deparse(query)).removeprefix("SELECT ")


def _is_column(node: Any, name: str) -> bool:
    """`name`, or `name::type`."""
    if node.WhichOneof("node") == "type_cast":
        return _is_column(node.type_cast.arg, name)
    if node.WhichOneof("node") != "column_ref":
        return False
    fields = node.column_ref.fields
    return len(fields) == 1 and bool(fields[0].string.sval == name)


def _relation(node: Any) -> str:
    return ident(node.schemaname, node.relname) if node.schemaname else ident(node.relname)

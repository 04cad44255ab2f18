"""Rows of a new table that a statement makes of another's: INSERT ... SELECT, CREATE TABLE AS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb

from shared.domain.errors import Refused
from shared.mapping.statements import as_sql, refused, relation_of, tree_of
from shared.sql.parse import Statement


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
    tree = tree_of(statement)
    if statement.tag == "InsertStmt":
        insert = tree.insert_stmt
        select = insert.select_stmt.select_stmt
        if not select.from_clause:
            return None
        if insert.HasField("on_conflict_clause") or insert.HasField("returning_clause"):
            raise _not_one_to_one(statement, "ON CONFLICT or RETURNING")
        columns = tuple(item.res_target.name for item in insert.cols)
        return _copy(statement, relation_of(insert.relation), columns, select)
    if (
        statement.tag == "CreateTableAsStmt"
        and tree.create_table_as_stmt.objtype == pb.OBJECT_TABLE
    ):
        create = tree.create_table_as_stmt
        if create.into.skip_data:
            return None
        columns = tuple(item.string.sval for item in create.into.col_names)
        return _copy(statement, relation_of(create.into.rel), columns, create.query.select_stmt)
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
        source=relation_of(source),
        alias=source.alias.aliasname or source.relname,
        columns=columns,
        expressions=tuple("*" if _is_star(value) else as_sql(value) for value in values),
        bare=tuple(_column(value) for value in values),
        condition=as_sql(select.where_clause) if select.HasField("where_clause") else None,
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

"""CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW: a query runs, what it gives is kept."""

from __future__ import annotations

from shared.sql.column_names import check_names
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import called
from shared.sql.grammar import Node
from shared.sql.names import range_var, strings
from shared.sql.operations.queries import column_reads, query_columns, read_query
from shared.sql.operations.routines import follow_calls
from shared.sql.operations.row_changes import nested_changes
from shared.sql.operations.row_locks import lock_rows
from shared.sql.operations.tables import new_relation


def _is_left_alone(ctx: Context, node: Node) -> bool:
    """Whether IF NOT EXISTS finds the relation, so that the query is read and not run."""
    made = node["into"]["rel"]
    schema, name = range_var(made)
    if not node.get("if_not_exists") or made.get("relpersistence") == "t":
        return False
    return (ctx.schema_for(schema), name) in ctx.catalog.relations


def create_table_as(ctx: Context, node: Node) -> None:
    """CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW."""
    matview = node.get("objtype") == "OBJECT_MATVIEW"
    if "ExecuteStmt" in node["query"]:
        _of_prepared(ctx, node)
        return
    operation = ctx.operation("CREATE_MATERIALIZED_VIEW" if matview else "CREATE_TABLE_AS")
    into = node["into"]
    idle = into.get("skipData") or _is_left_alone(ctx, node)
    read = read_query(ctx, node["query"], operation, scan=not idle)
    if not idle:
        _run(ctx, node["query"], operation)
    check_names(ctx, node["query"])
    relation = new_relation(ctx, into["rel"], bool(node.get("if_not_exists")))
    if relation is None:
        return
    operation.touch(relation)
    if matview:
        relation.kind = "materialized view"
        relation.reads = column_reads(node["query"], read)
        relation.calls = called(node["query"])
        ctx.catalog.note(relation)
    relation.filled = not idle
    relation.columns = query_columns(ctx, node["query"], strings(into.get("colNames")))


def _of_prepared(ctx: Context, node: Node) -> None:
    """CREATE TABLE AS EXECUTE: what the prepared statement does, and a table of what it gives."""
    for tag, body in node["query"].items():
        ctx.look(ctx, tag, body)
    assert ctx.step is not None
    made = new_relation(ctx, node["into"]["rel"], bool(node.get("if_not_exists")))
    for operation in ctx.step.operations[-1:]:
        operation.type = "CREATE_TABLE_AS"
        if made is not None:
            made.filled = True
            operation.touch(made)


def _run(ctx: Context, query: Node, operation: Operation) -> None:
    """What the query does beside reading, as it would alone."""
    for body in query.values():
        follow_calls(ctx, body, operation)
        nested_changes(ctx, body, operation)
        if "lockingClause" in body:
            lock_rows(ctx, body, operation)

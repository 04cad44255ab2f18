"""REINDEX: what it reaches, and who has to wait."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import flag, range_var
from shared.sql.operations.index_changes import table_of
from shared.sql.operations.routines import follow_behind
from shared.sql.schema_objects import Relation


def reindex(ctx: Context, node: Node) -> None:
    concurrent = flag(node.get("params"), "concurrently")
    operation = ctx.operation("REINDEX_CONCURRENTLY" if concurrent else "REINDEX")
    kind = node["kind"]
    if kind == "REINDEX_OBJECT_DATABASE" and "name" not in node and ctx.version < 16:
        ctx.error(
            "version",
            f"REINDEX DATABASE without a name came with PostgreSQL 16; the server is {ctx.version}",
        )
    reached = _reindexed(ctx, node)
    parted = any(table.partition_key is not None for table, _ in reached)
    if ctx.step is not None and (concurrent or parted or kind not in _IN_A_BLOCK):
        ctx.step.outside_block = True
    for table, indexed in reached:
        operation.touch(table)
        listed = parted and table.bound is not None and kind != "REINDEX_OBJECT_INDEX"
        light = concurrent and not listed
        operation.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE if light else Lock.SHARE)
        if table.stored and indexed:
            operation.scan(table)
            for index in ctx.catalog.indexes_over(table):
                follow_behind(ctx, index.calls, operation)
            if not concurrent:
                operation.hold_indexes(table)


_IN_A_BLOCK = ("REINDEX_OBJECT_TABLE", "REINDEX_OBJECT_INDEX")
"""Of what is not partitioned. Of a table that is, the partitions are locked in SHARE mode to be
listed, also by CONCURRENTLY (ReindexPartitions in indexcmds.c)."""


def _reindexed(ctx: Context, node: Node) -> list[tuple[Relation, bool]]:
    """Tables whose indexes are rebuilt, and whether each has any."""
    kind = node["kind"]
    if kind == "REINDEX_OBJECT_INDEX":
        schema, name = range_var(node["relation"])
        index = ctx.index_named(schema, name, missing_ok=False)
        table = table_of(ctx, index, name)
        if table is None:
            return []
        parted = index is not None and table.partition_key is not None
        members = ctx.catalog.partitions_of(table) if parted else []
        return [(each, True) for each in (table, *(m for m in members if m.stored))]
    if kind == "REINDEX_OBJECT_TABLE":
        table = ctx.relation(node["relation"])
        tables = [table, *ctx.catalog.partitions_of(table)] if table is not None else []
    elif kind == "REINDEX_OBJECT_SCHEMA":
        tables = [r for r in ctx.catalog.relations.values() if r.schema == node.get("name")]
        if ctx.catalog.complete and node.get("name") not in ctx.catalog.schemas:
            ctx.error("catalog", f'schema "{node.get("name")}" does not exist')
        tables += _others(ctx, f"every table of schema {node.get('name')}")
    else:
        tables = [*ctx.catalog.relations.values(), *_others(ctx, "every table of the database")]
    if kind != "REINDEX_OBJECT_TABLE":  # only what is stored is listed, partitions by themselves
        tables = [table for table in tables if table.partition_key is None]
    known = [t for t in tables if t.kind in ("table", "materialized view")]
    return [(t, t.columns is None or bool(ctx.catalog.indexes_over(t))) for t in known]


def _others(ctx: Context, what: str) -> list[Relation]:
    found = ctx.stand_in(what)
    return [] if found is None else [found]

"""Views and materialized views: made, replaced, refreshed; what they read is remembered."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.column_names import check_names
from shared.sql.context import Context
from shared.sql.expressions import called
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import range_var, strings
from shared.sql.operations.queries import column_reads, hold_read, query_columns, read_query
from shared.sql.operations.routines import follow_behind
from shared.sql.schema_objects import Relation


def create_view(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_VIEW")
    read = read_query(ctx, node["query"], operation, scan=False)
    check_names(ctx, node["query"])
    schema, name = range_var(node["view"])
    temporary = node["view"].get("relpersistence") == "t"
    key = ("pg_temp" if temporary else ctx.schema_for(schema), name)
    existing = ctx.catalog.relations.get(key)
    made = query_columns(ctx, node["query"], strings(node.get("aliases")))
    reads = column_reads(node["query"], read)
    if existing is None or existing.presumed:
        view = Relation(
            *key,
            kind="view",
            columns=made,
            persistence="t" if temporary else "p",
            reads=reads,
            calls=called(node["query"]),
            new=not ctx.building,
        )
        ctx.catalog.relations[key] = view
        ctx.catalog.note(view)
        operation.touch(view)
        return
    operation.touch(existing)
    if existing.kind != "view" or not node.get("replace"):
        ctx.error(
            "catalog",
            f'relation "{existing.shown}" already exists',
            at=node["view"].get("location"),
            remedy="CREATE OR REPLACE VIEW" if existing.kind == "view" else "",
        )
        return
    operation.lock(existing, Lock.ACCESS_EXCLUSIVE)
    if existing.columns is not None and made is not None:
        before, after = list(existing.columns), list(made)
        if after[: len(before)] != before:
            ctx.error(
                "catalog",
                f"CREATE OR REPLACE VIEW {existing.shown} may only add columns at the end: "
                f"it has ({', '.join(before)}), the new query gives ({', '.join(after)})",
                remedy="drop the view and make it again",
            )
    existing.columns, existing.reads, existing.calls = made, reads, called(node["query"])
    ctx.catalog.note(existing)


def refresh(ctx: Context, node: Node) -> None:
    concurrent, empty = bool(node.get("concurrent")), bool(node.get("skipData"))
    type_ = "REFRESH_MATERIALIZED_VIEW" + ("_CONCURRENTLY" if concurrent else "")
    view = ctx.relation(node["relation"], kind="materialized view")
    operation = ctx.operation(type_, view)
    if concurrent and empty:
        ctx.error("syntax", "CONCURRENTLY and WITH NO DATA cannot be used together")
    if view is None:
        return
    if view.kind not in ("materialized view",) and not view.presumed:
        ctx.error("catalog", f'"{view.shown}" is not a materialized view')
        return
    for key in view.reads if not empty else ():
        if source := ctx.catalog.relations.get(key):
            hold_read(ctx, source, operation, scan=True)
    if view.calls and not empty:
        follow_behind(ctx, view.calls, operation)
    if concurrent:
        _check_unique(ctx, view)
        operation.lock(view, Lock.EXCLUSIVE)
        operation.note("writers-do-not-matter")
        return
    operation.lock(view, Lock.ACCESS_EXCLUSIVE)
    if not empty:
        operation.rewrite(view)
    elif view.live:
        operation.needs(
            Kind.RISKY,
            f"{view.label} is emptied: every query of it fails until the next REFRESH",
            "refresh it with data, CONCURRENTLY",
        )
        operation.note("emptied")


def _check_unique(ctx: Context, view: Relation) -> None:
    usable = [i for i in ctx.catalog.indexes_of(view.key) if i.unique and i.plain]
    if not usable and not view.presumed:
        ctx.error(
            "catalog",
            f'cannot refresh materialized view "{view.shown}" CONCURRENTLY: '
            "it has no unique index over plain columns",
            remedy="create a unique index on it first",
        )

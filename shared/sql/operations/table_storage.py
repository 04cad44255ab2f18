"""ALTER TABLE: where and how rows are stored: logged, tablespace, access method, parameters."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.schema_objects import Relation


def storage_parameters(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_STORAGE_PARAMETERS", relation)
    if relation.partition_key is not None and cmd["subtype"] == "AT_SetRelOptions":
        ctx.error(
            "catalog",
            f"{relation.shown} is partitioned: it has no storage parameters",
            remedy="set them on each partition",
        )
    items = cmd.get("def", {}).get("List", {}).get("items", ())
    names = {item["DefElem"]["defname"] for item in items}
    heavy = bool(names & {"user_catalog_table", "security_barrier", "security_invoker"})
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE if heavy else Lock.SHARE_UPDATE_EXCLUSIVE)


def set_logged(ctx: Context, relation: Relation, cmd: Node) -> None:
    wanted = "p" if cmd["subtype"] == "AT_SetLogged" else "u"
    operation = ctx.operation("SET_LOGGED" if wanted == "p" else "SET_UNLOGGED", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.partition_key is not None and ctx.version >= 18:
        ctx.error("catalog", f"{relation.shown} is partitioned: it has no rows of its own to log")
    _check_referrers(ctx, relation, wanted)
    if (relation.persistence != wanted or relation.presumed) and relation.stored:
        operation.rewrite(relation)
    if wanted == "u" and relation.live:
        operation.needs(
            Kind.RISKY,
            f"the rows of {relation.label} are lost after a crash, and no longer replicated",
            "keep the table logged",
        )
    relation.persistence = wanted


def _check_referrers(ctx: Context, relation: Relation, wanted: str) -> None:
    """A permanent table cannot point at an unlogged one."""
    others = [r for r, _ in ctx.catalog.referrers_of(relation.key)]
    if wanted == "p":
        others = [
            target
            for c in relation.constraints.values()
            if c.refers_to and (target := ctx.catalog.relations.get(c.refers_to))
        ]
    clash = next((o for o in others if o is not relation and o.persistence != wanted), None)
    if clash is not None:
        state = "logged" if wanted == "u" else "unlogged"
        ctx.error(
            "catalog",
            f"{relation.shown} cannot change: a foreign key ties it to the {state} {clash.shown}",
        )


def set_tablespace(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_TABLESPACE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.stored and (relation.tablespace != cmd["name"] or relation.presumed):
        operation.rewrite(relation)
    relation.tablespace = cmd["name"]


def set_access_method(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_ACCESS_METHOD", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    wanted = cmd.get("name", "heap")
    if relation.stored and (relation.access_method != wanted or relation.presumed):
        operation.rewrite(relation)
    relation.access_method = wanted


def cluster_on(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("CLUSTER_ON", relation)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    _check_marked(ctx, relation)
    if ctx.catalog.complete and ctx.index_of(relation, cmd["name"]) is None:
        ctx.error("catalog", f'index "{cmd["name"]}" for table "{relation.shown}" does not exist')
    relation.clustered_on = cmd["name"]


def without_cluster(ctx: Context, relation: Relation, cmd: Node) -> None:
    ctx.operation("SET_WITHOUT_CLUSTER", relation).lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    _check_marked(ctx, relation)
    relation.clustered_on = None


def _check_marked(ctx: Context, relation: Relation) -> None:
    if relation.partition_key is not None:
        ctx.error(
            "catalog",
            f"{relation.shown} is partitioned: none of its indexes is marked for CLUSTER",
            remedy="name its partitions",
        )


def move_all(ctx: Context, node: Node) -> None:
    """ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b."""
    indexes = node.get("objtype") == "OBJECT_INDEX"
    operation = ctx.operation("SET_TABLESPACE_ALL")
    ctx.cannot_see("which tables lie in a tablespace is not in a schema: all are taken to")
    unknown = ctx.stand_in("every table of the tablespace")
    for relation in [*ctx.catalog.relations.values(), *([unknown] if unknown else [])]:
        if indexes and relation.kind in ("table", "materialized view"):
            _move_indexes(ctx, relation, operation)
        elif not indexes and relation.kind == "table" and relation.persistence != "t":
            operation.touch(relation)
            operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
            operation.rewrite_all([relation])
    operation.needs(
        Kind.MAINTENANCE,
        f"every {'index' if indexes else 'table'} of the tablespace is copied, one after the "
        "other, under ACCESS EXCLUSIVE",
        "move them one by one, or run it in a maintenance window",
    )


def _move_indexes(ctx: Context, relation: Relation, operation: Operation) -> None:
    """Only indexes are held and copied; but no query of their table can be planned meanwhile."""
    if relation.columns is None or ctx.catalog.indexes_over(relation):
        operation.touch(relation)
        operation.hold_indexes(relation)
        operation.scan_all([relation])

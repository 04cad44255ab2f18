"""Publications: which tables they hold, and whose rows can no longer be changed because of them."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.definitions import primary_key
from shared.sql.effects import Operation
from shared.sql.expressions import columns
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import option, scalar, strings
from shared.sql.schema_objects import Publication, Published, Relation
from shared.sql.triggers import Event

_EVERYTHING = "insert, update, delete, truncate"


def create_publication(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_PUBLICATION")
    name = node["pubname"]
    if name in ctx.catalog.publications:
        ctx.error("catalog", f'publication "{name}" already exists')
    made = Publication(all_tables=bool(node.get("for_all_tables")))
    made.publishes = _publishes(node) or _EVERYTHING
    ctx.catalog.publications[name] = made
    _add(ctx, name, made, node, operation)


def alter_publication(ctx: Context, node: Node) -> None:
    operation = ctx.operation("ALTER_PUBLICATION")
    name, action = node["pubname"], node.get("action")
    known = ctx.catalog.publications.get(name)
    if known is None:
        if ctx.catalog.complete:
            ctx.error("catalog", f'publication "{name}" does not exist')
        known = Publication()
    known.publishes = _publishes(node) or known.publishes
    if "pubobjects" in node and action == "AP_SetObjects":
        for member in [r for r in ctx.catalog.relations.values() if name in r.published]:
            operation.lock(member, Lock.SHARE_UPDATE_EXCLUSIVE)
            del member.published[name]
        known.schemas.clear()
    if action == "AP_DropObjects":
        for relation, _ in _tables(ctx, node, operation):
            relation.published.pop(name, None)
        known.schemas.difference_update(_schemas(ctx, node))
    else:
        _add(ctx, name, known, node, operation)


def _publishes(node: Node) -> str:
    return str(scalar(option(node.get("options"), "publish")) or "").lower()


def _add(ctx: Context, name: str, known: Publication, node: Node, operation: Operation) -> None:
    for relation, given in _tables(ctx, node, operation):
        listed = given.get("columns")
        relation.published[name] = Published(
            columns(given.get("whereClause")),
            None if listed is None else frozenset(strings(listed)),
        )
    known.schemas.update(_schemas(ctx, node))


def _tables(ctx: Context, node: Node, operation: Operation) -> Iterator[tuple[Relation, Node]]:
    for each in node.get("pubobjects", ()):
        given = each["PublicationObjSpec"].get("pubtable")
        relation = ctx.relation(given["relation"]) if given else None
        if relation is not None:
            operation.touch(relation)
            operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
            yield relation, given


def _schemas(ctx: Context, node: Node) -> set[str]:
    specs = [each["PublicationObjSpec"] for each in node.get("pubobjects", ())]
    named = {each["name"] for each in specs if each["pubobjtype"] == _IN_SCHEMA and "name" in each}
    return named | {ctx.first_schema for each in specs if each["pubobjtype"] == _IN_CURRENT}


_IN_SCHEMA, _IN_CURRENT = "PUBLICATIONOBJ_TABLES_IN_SCHEMA", "PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA"


def rename_publication(ctx: Context, old: str, new: str) -> None:
    if (known := ctx.catalog.publications.pop(old, None)) is not None:
        ctx.catalog.publications[new] = known
    for relation in ctx.catalog.relations.values():
        if (published := relation.published.pop(old, None)) is not None:
            relation.published[new] = published


def drop_publication(ctx: Context, name: str) -> None:
    ctx.catalog.publications.pop(name, None)
    for relation in ctx.catalog.relations.values():
        relation.published.pop(name, None)


def check_published(ctx: Context, target: Relation, event: Event) -> None:
    """PostgreSQL refuses a change that a publication could not tell its subscribers
    (CheckCmdReplicaIdentity in execReplication.c). Partitions are not looked at."""
    verb = _VERBS.get(event)
    if verb is None or not _can_be_published(target) or target.replica_identity == "i":
        return
    key = frozenset(primary_key(target)) if target.replica_identity == "d" else frozenset[str]()
    whole = target.replica_identity == "f"
    for name, known in ctx.catalog.publications.items():
        published = target.published.get(name)
        held = published is not None or known.all_tables or target.schema in known.schemas
        if not held or event.lower() not in known.publishes:
            continue
        if why := _untold(published, key, whole=whole):
            ctx.error(
                "catalog",
                f'cannot {verb} table "{target.shown}": the publication {name} {why}',
                remedy="give it a primary key or a REPLICA IDENTITY, or take it out of the "
                "publication, before",
            )


_VERBS: dict[Event, str] = {"UPDATE": "update", "DELETE": "delete from"}


def _can_be_published(target: Relation) -> bool:
    plain = target.partition_key is None and target.bound is None and target.kind == "table"
    return plain and target.persistence == "p" and target.columns is not None


def _untold(published: Published | None, key: frozenset[str], *, whole: bool) -> str:
    """Why the publication cannot tell which row was changed; empty when it can."""
    if not key and not whole:
        return "tells of such changes, and the table has no replica identity"
    if published is None:
        return ""
    if not whole and published.filters - key:
        return f"filters by {min(published.filters - key)}, which is no part of its identity"
    if published.columns is not None and (whole or key - published.columns):
        return "leaves out columns of its replica identity"
    return ""

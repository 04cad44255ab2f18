"""ALTER TABLE: one operation per action; also ALTER INDEX, VIEW, SEQUENCE and TYPE actions.

Lock modes: source of PostgreSQL, AlterTableGetLockLevel; all measured on 15, 16 and 18.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.kinds import Kind
from shared.sql.catalog import Relation
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import range_var
from shared.sql.operations import (
    column_marks,
    composite_types,
    constraint_changes,
    index_changes,
    partitions,
)
from shared.sql.operations.access import check_roles
from shared.sql.operations.add_column import add_column
from shared.sql.operations.add_constraint import add_constraint
from shared.sql.operations.drop_column import drop_column
from shared.sql.operations.objects import mark_unknown
from shared.sql.operations.retype import alter_type

Action = Callable[[Context, Relation, Node], None]


def alter_table(ctx: Context, node: Node) -> None:
    kind = node.get("objtype", "OBJECT_TABLE")
    if kind == "OBJECT_INDEX":
        index_changes.alter_index(ctx, node)
        return
    if kind == "OBJECT_TYPE":
        composite_types.alter_composite(ctx, node)
        return
    if kind in _WHOLE:
        _whole(ctx, node, _WHOLE[kind])
        return
    missing_ok = bool(node.get("missing_ok"))
    relation = ctx.relation(node["relation"], missing_ok=missing_ok)
    if relation is None:
        relation = _nobody(node)
    ctx.only = not node["relation"].get("inh", False)
    for wrapped in node.get("cmds", ()):
        cmd = wrapped["AlterTableCmd"]
        action = ACTIONS.get(cmd["subtype"])
        if action is None:
            _unknown(ctx, relation, cmd)
        else:
            action(ctx, relation, cmd)
    ctx.only = False


def _unknown(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation(cmd["subtype"].removeprefix("AT_").upper(), relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    mark_unknown(operation, f"ALTER TABLE with {cmd['subtype']}")


def _nobody(node: Node) -> Relation:
    """A stand-in for a table that is not there, so that the actions can still be named."""
    schema, name = range_var(node["relation"])
    return Relation(schema or "public", name, new=True, presumed=True)


_WHOLE = {
    "OBJECT_VIEW": "ALTER_VIEW",
    "OBJECT_MATVIEW": "ALTER_MATERIALIZED_VIEW",
    "OBJECT_SEQUENCE": "ALTER_SEQUENCE",
    "OBJECT_FOREIGN_TABLE": "ALTER_FOREIGN_TABLE",
}


def _whole(ctx: Context, node: Node, type_: str) -> None:
    """Actions on what is no table: catalog changes, named after the object."""
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")), kind="view")
    for wrapped in node.get("cmds", ()):
        cmd = wrapped["AlterTableCmd"]
        operation = ctx.operation(type_, relation)
        if relation is not None and relation.kind != "sequence":
            light = relation.kind == "materialized view"
            mode = _LIGHT.get(cmd["subtype"]) if light else None
            operation.lock(relation, mode or Lock.ACCESS_EXCLUSIVE)
        if cmd["subtype"] in ("AT_SetTableSpace", "AT_SetAccessMethod") and relation is not None:
            operation.rewrite(relation)
        elif cmd["subtype"] == "AT_ClusterOn" and relation is not None:
            relation.clustered_on = cmd["name"]


_LIGHT = {
    "AT_SetStatistics": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_SetOptions": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetOptions": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_ClusterOn": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_DropCluster": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_SetRelOptions": Lock.SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetRelOptions": Lock.SHARE_UPDATE_EXCLUSIVE,
}


def _simple(type_: str, mode: Lock, *, column: bool = False, family: bool = False) -> Action:
    """An action that only changes catalogs."""

    def action(ctx: Context, relation: Relation, cmd: Node) -> None:
        operation = ctx.operation(type_, relation)
        operation.lock_all(ctx.family(relation) if family else [relation], mode)
        if column and "name" in cmd:
            operation.columns.append(cmd["name"])
            check_columns(ctx, relation, [cmd["name"]], None)
        if cmd["subtype"] == "AT_SetStorage" and _storage_default(cmd) and ctx.version < 16:
            ctx.error(
                "version",
                f"SET STORAGE DEFAULT came with PostgreSQL 16; the server is {ctx.version}",
            )

    return action


def _storage_default(cmd: Node) -> bool:
    given = cmd.get("def", {}).get("String", {}).get("sval", "")
    return str(given).lower() == "default"


def _storage_parameters(ctx: Context, relation: Relation, cmd: Node) -> None:
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


def _replica_identity(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("REPLICA_IDENTITY", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    wanted = cmd.get("def", {}).get("ReplicaIdentityStmt", {}).get("identity_type", "d")
    relation.replica_identity = wanted


def _set_logged(ctx: Context, relation: Relation, cmd: Node) -> None:
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


def _set_tablespace(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_TABLESPACE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.stored and (relation.tablespace != cmd["name"] or relation.presumed):
        operation.rewrite(relation)
    relation.tablespace = cmd["name"]


def _set_access_method(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_ACCESS_METHOD", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    wanted = cmd.get("name", "heap")
    if relation.stored and (relation.access_method != wanted or relation.presumed):
        operation.rewrite(relation)
    relation.access_method = wanted


def _cluster_on(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("CLUSTER_ON", relation)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    index = ctx.catalog.indexes.get((relation.schema, cmd["name"]))
    if ctx.catalog.complete and (index is None or index.table != relation.key):
        ctx.error("catalog", f'index "{cmd["name"]}" for table "{relation.shown}" does not exist')
    relation.clustered_on = cmd["name"]


def _trigger(type_: str) -> Action:
    def action(ctx: Context, relation: Relation, cmd: Node) -> None:
        operation = ctx.operation(type_, relation)
        operation.lock_all(ctx.family(relation), Lock.SHARE_ROW_EXCLUSIVE)
        if cmd["subtype"].endswith("TrigAll"):
            relation.triggers_off = type_ == "DISABLE_TRIGGER"
        name = cmd.get("name")
        if name and relation.columns is not None and name not in relation.triggers:
            ctx.error("catalog", f'trigger "{name}" for table "{relation.shown}" does not exist')
        fires = type_ == "ENABLE_TRIGGER" and cmd["subtype"] != "AT_EnableReplicaTrig"
        for each in [name] if name else list(relation.triggers):
            if (trigger := relation.triggers.get(each)) is not None:
                relation.triggers[each] = replace(trigger, enabled=fires)

    return action


def _rule(type_: str) -> Action:
    def action(ctx: Context, relation: Relation, cmd: Node) -> None:
        ctx.operation(type_, relation).lock(relation, Lock.ACCESS_EXCLUSIVE)
        name = cmd.get("name", "")
        if (rule := relation.rules.get(name)) is not None:
            enabled = type_ == "ENABLE_RULE" and cmd["subtype"] != "AT_EnableReplicaRule"
            relation.rules[name] = replace(rule, enabled=enabled)

    return action


def _row_security(type_: str) -> Action:
    def action(ctx: Context, relation: Relation, cmd: Node) -> None:
        operation = ctx.operation(type_, relation)
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
        if type_ == "ENABLE_RLS":
            if relation.live and not relation.policies:
                operation.breaks += (
                    f"no policy on {relation.label}: all rows are hidden from all but its owner",
                )
            relation.row_security = True

    return action


def _inherit(ctx: Context, relation: Relation, cmd: Node) -> None:
    adds = cmd["subtype"] == "AT_AddInherit"
    parent = ctx.relation(cmd["def"]["RangeVar"])
    operation = ctx.operation("INHERIT" if adds else "NO_INHERIT", relation, parent)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    operation.lock(parent, Lock.SHARE_UPDATE_EXCLUSIVE if adds else Lock.ACCESS_SHARE)
    if parent is None:
        return
    if adds:
        missing = set(parent.columns or ()) - set(relation.columns or parent.columns or ())
        if missing:
            ctx.error(
                "catalog",
                f"{relation.shown} cannot inherit from {parent.shown}: "
                f"it has no column {', '.join(sorted(missing))}",
            )
            return
        relation.parents.append(parent.key)
        parent.children.append(relation.key)
        ctx.catalog.note(parent)
    elif parent.key in relation.parents:
        relation.parents.remove(parent.key)
        parent.children.remove(relation.key)


def _owner(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("CHANGE_OWNER", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    check_roles(ctx, [{"RoleSpec": cmd.get("newowner", {})}])


def _of_type(ctx: Context, relation: Relation, cmd: Node) -> None:
    adds = cmd["subtype"] == "AT_AddOf"
    operation = ctx.operation("OF_TYPE" if adds else "NOT_OF_TYPE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    relation.of_type = ctx.type_of(cmd["def"]["TypeName"], operation).key if adds else None


_SUE, _AEL = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE

ACTIONS: dict[str, Action] = {
    "AT_AddColumn": add_column,
    "AT_DropColumn": drop_column,
    "AT_AlterColumnType": alter_type,
    "AT_SetNotNull": column_marks.set_not_null,
    "AT_DropNotNull": column_marks.drop_not_null,
    "AT_ColumnDefault": column_marks.set_default,
    "AT_AddIdentity": column_marks.identity,
    "AT_SetIdentity": column_marks.identity,
    "AT_DropIdentity": column_marks.identity,
    "AT_DropExpression": column_marks.drop_expression,
    "AT_SetExpression": column_marks.set_expression,
    "AT_AddConstraint": add_constraint,
    "AT_ValidateConstraint": constraint_changes.validate,
    "AT_DropConstraint": constraint_changes.drop,
    "AT_AlterConstraint": constraint_changes.alter,
    "AT_AttachPartition": partitions.attach,
    "AT_DetachPartition": partitions.detach,
    "AT_DetachPartitionFinalize": partitions.detach,
    "AT_SetStatistics": _simple("SET_STATISTICS", _SUE, column=True, family=True),
    "AT_SetOptions": _simple("SET_COLUMN_OPTIONS", _SUE, column=True),
    "AT_ResetOptions": _simple("SET_COLUMN_OPTIONS", _SUE, column=True),
    "AT_SetStorage": _simple("SET_STORAGE", _AEL, column=True, family=True),
    "AT_SetCompression": _simple("SET_COMPRESSION", _AEL, column=True),
    "AT_ClusterOn": _cluster_on,
    "AT_DropCluster": _simple("SET_WITHOUT_CLUSTER", _SUE),
    "AT_SetRelOptions": _storage_parameters,
    "AT_ResetRelOptions": _storage_parameters,
    "AT_ReplicaIdentity": _replica_identity,
    "AT_SetLogged": _set_logged,
    "AT_SetUnLogged": _set_logged,
    "AT_SetTableSpace": _set_tablespace,
    "AT_SetAccessMethod": _set_access_method,
    "AT_ChangeOwner": _owner,
    "AT_EnableTrig": _trigger("ENABLE_TRIGGER"),
    "AT_EnableTrigAll": _trigger("ENABLE_TRIGGER"),
    "AT_EnableTrigUser": _trigger("ENABLE_TRIGGER"),
    "AT_EnableAlwaysTrig": _trigger("ENABLE_TRIGGER"),
    "AT_EnableReplicaTrig": _trigger("ENABLE_TRIGGER"),
    "AT_DisableTrig": _trigger("DISABLE_TRIGGER"),
    "AT_DisableTrigAll": _trigger("DISABLE_TRIGGER"),
    "AT_DisableTrigUser": _trigger("DISABLE_TRIGGER"),
    "AT_EnableRule": _rule("ENABLE_RULE"),
    "AT_EnableAlwaysRule": _rule("ENABLE_RULE"),
    "AT_EnableReplicaRule": _rule("ENABLE_RULE"),
    "AT_DisableRule": _rule("DISABLE_RULE"),
    "AT_EnableRowSecurity": _row_security("ENABLE_RLS"),
    "AT_DisableRowSecurity": _row_security("DISABLE_RLS"),
    "AT_ForceRowSecurity": _row_security("FORCE_RLS"),
    "AT_NoForceRowSecurity": _row_security("NO_FORCE_RLS"),
    "AT_AddInherit": _inherit,
    "AT_DropInherit": _inherit,
    "AT_AddOf": _of_type,
    "AT_DropOf": _of_type,
    "AT_GenericOptions": _simple("ALTER_OPTIONS", _AEL),
    "AT_AlterColumnGenericOptions": _simple("ALTER_OPTIONS", _AEL, column=True),
}
"""What is not in this list is not known to be safe."""


def move_all(ctx: Context, node: Node) -> None:
    """ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b."""
    operation = ctx.operation("SET_TABLESPACE_ALL")
    ctx.cannot_see("which tables lie in a tablespace is not in a schema: all are taken to")
    unknown = ctx.stand_in("every table of the tablespace")
    for relation in [*ctx.catalog.relations.values(), *([unknown] if unknown else [])]:
        if relation.stored and relation.kind == "table" and relation.persistence != "t":
            operation.touch(relation)
            operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
            operation.rewrite(relation)
    operation.needs(
        Kind.MAINTENANCE,
        "every table of the tablespace is copied, one after the other, under ACCESS EXCLUSIVE",
        "move tables one by one, or run it in a maintenance window",
    )

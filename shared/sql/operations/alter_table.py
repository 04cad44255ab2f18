"""ALTER TABLE: one operation per action; also ALTER INDEX, VIEW, SEQUENCE and TYPE actions.

Lock modes: source of PostgreSQL, AlterTableGetLockLevel; all measured on 15, 16 and 18.
"""

from __future__ import annotations

from collections.abc import Callable

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
    table_storage,
    table_switches,
    table_ties,
)
from shared.sql.operations.access import check_roles
from shared.sql.operations.add_column import add_column
from shared.sql.operations.add_constraint import add_constraint
from shared.sql.operations.drop_column import drop_column
from shared.sql.operations.objects import mark_unknown
from shared.sql.operations.replica_identity import replica_identity
from shared.sql.operations.retype import alter_type
from shared.sql.schema_objects import Relation

Action = Callable[[Context, Relation, Node], None]


def alter_table(ctx: Context, node: Node) -> None:
    kind = node.get("objtype", "OBJECT_TABLE")
    if kind in _OTHERS:
        _OTHERS[kind](ctx, node)
        return
    if kind in _WHOLE:
        _whole(ctx, node, _WHOLE[kind])
        return
    named = node["relation"]
    relation = ctx.relation(named, missing_ok="missing_ok" in node)
    if relation is None:
        relation = _nobody(node)
    ctx.only = "inh" not in named
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


_OTHERS = {
    "OBJECT_INDEX": index_changes.alter_index,
    "OBJECT_TYPE": composite_types.alter_composite,
}
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
        if (where := _WHERE.get(cmd["subtype"])) and relation is not None:
            if relation.presumed or getattr(relation, where) != cmd.get("name"):
                operation.rewrite(relation)
            setattr(relation, where, cmd.get("name"))
        elif cmd["subtype"] == "AT_ClusterOn" and relation is not None:
            relation.clustered_on = cmd["name"]


_WHERE = {"AT_SetTableSpace": "tablespace", "AT_SetAccessMethod": "access_method"}
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


def _owner(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("CHANGE_OWNER", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    check_roles(ctx, [{"RoleSpec": cmd.get("newowner", {})}])


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
    "AT_ClusterOn": table_storage.cluster_on,
    "AT_DropCluster": table_storage.without_cluster,
    "AT_SetRelOptions": table_storage.storage_parameters,
    "AT_ResetRelOptions": table_storage.storage_parameters,
    "AT_ReplicaIdentity": replica_identity,
    "AT_SetLogged": table_storage.set_logged,
    "AT_SetUnLogged": table_storage.set_logged,
    "AT_SetTableSpace": table_storage.set_tablespace,
    "AT_SetAccessMethod": table_storage.set_access_method,
    "AT_ChangeOwner": _owner,
    "AT_EnableTrig": table_switches.switch_trigger,
    "AT_EnableTrigAll": table_switches.switch_trigger,
    "AT_EnableTrigUser": table_switches.switch_trigger,
    "AT_EnableAlwaysTrig": table_switches.switch_trigger,
    "AT_EnableReplicaTrig": table_switches.switch_trigger,
    "AT_DisableTrig": table_switches.switch_trigger,
    "AT_DisableTrigAll": table_switches.switch_trigger,
    "AT_DisableTrigUser": table_switches.switch_trigger,
    "AT_EnableRule": table_switches.switch_rule,
    "AT_EnableAlwaysRule": table_switches.switch_rule,
    "AT_EnableReplicaRule": table_switches.switch_rule,
    "AT_DisableRule": table_switches.switch_rule,
    "AT_EnableRowSecurity": table_switches.switch_row_security,
    "AT_DisableRowSecurity": table_switches.switch_row_security,
    "AT_ForceRowSecurity": table_switches.switch_row_security,
    "AT_NoForceRowSecurity": table_switches.switch_row_security,
    "AT_AddInherit": table_ties.inherit,
    "AT_DropInherit": table_ties.inherit,
    "AT_AddOf": table_ties.of_type,
    "AT_DropOf": table_ties.of_type,
    "AT_GenericOptions": _simple("ALTER_OPTIONS", _AEL),
    "AT_AlterColumnGenericOptions": _simple("ALTER_OPTIONS", _AEL, column=True),
}
"""What is not in this list is not known to be safe."""

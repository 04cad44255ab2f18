"""The allow-list: every type of statement whose effects are known, and what looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.operations import (
    access,
    drops,
    event_triggers,
    index_changes,
    objects,
    reindexing,
    renames,
    routines,
    row_changes,
    row_reads,
    session,
    table_copies,
    table_storage,
    tables,
    transactions,
    upkeep,
    user_types,
    views,
    whole_tables,
)
from shared.sql.operations.alter_table import alter_table
from shared.sql.operations.extended_statistics import create_statistics
from shared.sql.operations.new_routines import create_routine
from shared.sql.operations.publications import alter_publication, create_publication
from shared.sql.operations.trigger_definitions import create_trigger

Handler = Callable[[Context, Node], None]


def _rows(tag: str) -> Handler:
    return lambda ctx, node: row_changes.change_rows(ctx, tag, node)


def _handler(made: Any) -> Handler:
    return cast(Handler, made)


HANDLERS: dict[str, Handler] = {
    "AlterTableStmt": alter_table,
    "AlterTableMoveAllStmt": table_storage.move_all,
    "CreateStmt": tables.create_table,
    "CreateTableAsStmt": table_copies.create_table_as,
    "ViewStmt": views.create_view,
    "RefreshMatViewStmt": views.refresh,
    "IndexStmt": index_changes.create_index,
    "ReindexStmt": reindexing.reindex,
    "DropStmt": drops.drop,
    "DropOwnedStmt": drops.drop_owned,
    "RenameStmt": renames.rename,
    "AlterObjectSchemaStmt": renames.set_schema,
    "CreateFunctionStmt": create_routine,
    "DoStmt": routines.do,
    "CallStmt": routines.call,
    "CreateTrigStmt": create_trigger,
    "InsertStmt": _rows("InsertStmt"),
    "UpdateStmt": _rows("UpdateStmt"),
    "DeleteStmt": _rows("DeleteStmt"),
    "MergeStmt": _rows("MergeStmt"),
    "SelectStmt": row_reads.select,
    "TruncateStmt": whole_tables.truncate,
    "LockStmt": whole_tables.lock_table,
    "CopyStmt": row_reads.copy,
    "DeclareCursorStmt": row_reads.declare_cursor,
    "VariableSetStmt": session.set_variable,
    "TransactionStmt": transactions.transaction,
    "VacuumStmt": upkeep.vacuum,
    "ClusterStmt": upkeep.cluster,
    "CreateEnumStmt": user_types.create_enum,
    "AlterEnumStmt": user_types.alter_enum,
    "CreateDomainStmt": user_types.create_domain,
    "AlterDomainStmt": user_types.alter_domain,
    "CompositeTypeStmt": user_types.create_composite,
    "CreateRangeStmt": user_types.create_range,
    "AlterTypeStmt": user_types.alter_type_options,
    "GrantStmt": access.grant,
    "AlterDefaultPrivilegesStmt": access.default_privileges,
    "AlterOwnerStmt": access.owner,
    "CreatePolicyStmt": access.create_policy,
    "AlterPolicyStmt": access.alter_policy,
    "CreateRoleStmt": _handler(access.role("CREATE_ROLE")),
    "AlterRoleStmt": _handler(access.role("ALTER_ROLE")),
    "AlterRoleSetStmt": _handler(access.role("ALTER_ROLE")),
    "DropRoleStmt": _handler(access.role("DROP_ROLE")),
    "GrantRoleStmt": _handler(access.role("GRANT_ROLE")),
    "ReassignOwnedStmt": access.reassign,
    "CreateSchemaStmt": objects.create_schema,
    "CreateSeqStmt": objects.create_sequence,
    "AlterSeqStmt": objects.alter_sequence,
    "CreateExtensionStmt": objects.create_extension,
    "CommentStmt": objects.comment,
    "CreateStatsStmt": create_statistics,
    "CreatePublicationStmt": create_publication,
    "AlterPublicationStmt": alter_publication,
    "CreateEventTrigStmt": objects.create_event_trigger,
    "DefineStmt": objects.define,
    "RuleStmt": objects.create_rule,
    "CreateCastStmt": objects.create_cast,
    "AlterFunctionStmt": objects.alter_routine,
    "ExplainStmt": objects.explain,
    "PrepareStmt": objects.prepare,
    "AlterExtensionStmt": objects.alter_extension,
    "ExecuteStmt": row_reads.execute,
    "AlterEventTrigStmt": event_triggers.alter,
}
_LIGHT = {
    "VariableShowStmt": "SHOW",
    "AlterStatsStmt": "ALTER_STATISTICS",
    "CreateOpClassStmt": "CREATE_OPERATOR_CLASS",
    "CreateOpFamilyStmt": "CREATE_OPERATOR_FAMILY",
    "AlterOpFamilyStmt": "ALTER_OPERATOR_FAMILY",
    "AlterOperatorStmt": "ALTER_OPERATOR",
    "CreateConversionStmt": "CREATE_CONVERSION",
    "CreateTransformStmt": "CREATE_TRANSFORM",
    "AlterCollationStmt": "ALTER_COLLATION",
    "AlterTSConfigurationStmt": "ALTER_TEXT_SEARCH_CONFIGURATION",
    "AlterTSDictionaryStmt": "ALTER_TEXT_SEARCH_DICTIONARY",
    "CreateFdwStmt": "CREATE_FOREIGN_DATA_WRAPPER",
    "CreateForeignServerStmt": "CREATE_SERVER",
    "AlterForeignServerStmt": "ALTER_SERVER",
    "CreateUserMappingStmt": "CREATE_USER_MAPPING",
    "NotifyStmt": "NOTIFY",
    "FetchStmt": "FETCH",
    "ClosePortalStmt": "CLOSE",
    "DeallocateStmt": "DEALLOCATE",
    "ConstraintsSetStmt": "SET_CONSTRAINTS",
    "SecLabelStmt": "SECURITY_LABEL",
}
for _tag, _type in _LIGHT.items():
    HANDLERS[_tag] = _handler(objects.named(_type))

_REFUSED = {
    "AlterSystemStmt": "ALTER_SYSTEM",
    "LoadStmt": "LOAD",
    "CreatedbStmt": "CREATE_DATABASE",
    "DropdbStmt": "DROP_DATABASE",
    "CreateTableSpaceStmt": "CREATE_TABLESPACE",
    "DropTableSpaceStmt": "DROP_TABLESPACE",
    "CreateSubscriptionStmt": "CREATE_SUBSCRIPTION",
    "AlterSubscriptionStmt": "ALTER_SUBSCRIPTION",
    "DropSubscriptionStmt": "DROP_SUBSCRIPTION",
    "CheckPointStmt": "CHECKPOINT",
    "DiscardStmt": "DISCARD",
}
"""Known, and refused (shared.sql.forbidden says why): only named here."""
_OUTSIDE_BLOCK = frozenset(
    {"AlterSystemStmt", "CreatedbStmt", "DropdbStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt"}
)


def look(ctx: Context, tag: str, node: Node) -> None:
    """Find out what one statement does, and carry the catalog past it."""
    handler = HANDLERS.get(tag)
    if handler is not None:
        handler(ctx, node)
    elif tag in _REFUSED:
        ctx.operation(_REFUSED[tag])
        if tag in _OUTSIDE_BLOCK and ctx.step is not None:
            ctx.step.outside_block = True
    else:
        objects.unknown(ctx, tag)
    if ctx.catalog.watched:
        event_triggers.fire(ctx, tag)
    if ctx.fresh_values:
        user_types.used_values(ctx, node)

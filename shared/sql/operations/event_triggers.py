"""Event triggers: what they run with every statement that defines something."""

from __future__ import annotations

from dataclasses import replace

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.operations.routines import follow_behind
from shared.sql.triggers import EventTrigger

_SILENT = frozenset(
    {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "CallStmt"}
    | {"DoStmt", "ExplainStmt", "PrepareStmt", "ExecuteStmt", "DeallocateStmt", "LockStmt"}
    | {"DeclareCursorStmt", "FetchStmt", "ClosePortalStmt", "TransactionStmt", "TruncateStmt"}
    | {"VariableSetStmt", "VariableShowStmt", "ConstraintsSetStmt", "NotifyStmt", "VacuumStmt"}
    | {"ClusterStmt", "CreateRoleStmt", "AlterRoleStmt", "AlterRoleSetStmt", "DropRoleStmt"}
    | {"GrantRoleStmt", "CreateEventTrigStmt", "AlterEventTrigStmt", "ReassignOwnedStmt"}
)
"""Statements that fire none (event-trigger-definition in PostgreSQL's manual)."""
_DROPPING = frozenset({"DropStmt", "AlterTableStmt", "DropOwnedStmt"})


def fire(ctx: Context, tag: str) -> None:
    """Follow the functions that the statement just looked at sets off."""
    if tag in _SILENT or ctx.building or ctx.planning or ctx.step is None:
        return
    for operation in ctx.step.operations[-1:]:
        for trigger in list(ctx.catalog.event_triggers.values()):
            if trigger.enabled and _fires(trigger, tag, operation):
                follow_behind(ctx, frozenset({trigger.function}), operation)


def _fires(trigger: EventTrigger, tag: str, operation: Operation) -> bool:
    if trigger.event == "sql_drop":
        return tag in _DROPPING
    if trigger.event == "table_rewrite":
        return bool(operation.rewrites)
    return trigger.event != "login"


def alter(ctx: Context, node: Node) -> None:
    ctx.operation("ALTER_EVENT_TRIGGER")
    name = node.get("trigname", "")
    known = ctx.catalog.event_triggers.get(name)
    if known is not None:
        ctx.catalog.event_triggers[name] = replace(known, enabled=node.get("tgenabled") != "D")

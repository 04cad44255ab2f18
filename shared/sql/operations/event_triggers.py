"""Event triggers: what they run with every statement that defines something."""

from __future__ import annotations

from dataclasses import replace

from shared.sql.bodies import read_body
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.operations.routines import follow
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
    acting = [each for each in ctx.catalog.event_triggers.values() if _acts(ctx, each)]
    ctx.catalog.watched = bool(acting)
    for operation in ctx.step.operations[-1:]:
        for trigger in acting:
            if _fires(trigger, tag, operation):
                for routine in ctx.catalog.routines[trigger.function]:
                    follow(ctx, routine, operation)


def _acts(ctx: Context, trigger: EventTrigger) -> bool:
    """Whether its function runs any statement that can be followed."""
    if not trigger.enabled:
        return False
    known = ctx.catalog.routines.get(trigger.function, ())
    if not known or any(routine.language != "plpgsql" for routine in known):
        ctx.cannot_see(f"what the event trigger function {trigger.function[1]}() does")
        return False
    return any(_runs_something(routine.definition) for routine in known)


def _runs_something(definition: str) -> bool:
    try:
        body = read_body("plpgsql", "", definition)
    except SyntaxProblem:
        return False
    return bool(body.parts or body.opaque)


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
        ctx.catalog.watched = True

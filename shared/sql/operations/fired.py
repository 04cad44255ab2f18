"""What a change of rows sets off: triggers, rules, and the actions of foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.definitions import primary_key
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.queries import hold_read
from shared.sql.operations.routines import follow, follow_behind, merge
from shared.sql.schema_objects import Constraint, Key, Relation
from shared.sql.triggers import Event, Trigger

CASCADES = 8
"""How many foreign keys are followed one after the other."""


def fire(
    ctx: Context,
    relation: Relation,
    event: Event,
    operation: Operation,
    written: frozenset[str] | None = None,
) -> None:
    """Follow the functions of the triggers that a change of `relation` may fire."""
    if ctx.building or ctx.planning or not _may_fire(relation):
        return
    for key, transitions in dict.fromkeys(_functions(ctx, relation, event, written)):
        for routine in ctx.catalog.routines.get(key, ()):
            if routine.language not in ("sql", "plpgsql"):
                ctx.cannot_see(f"what the trigger function {key[1]}() does")
                continue
            inner = Operation("TRIGGER")
            follow(ctx, routine, inner, event, transitions=transitions)
            if "unseen" in inner.notes:
                ctx.cannot_see(f"what the trigger function {key[1]}() puts together at run time")
                inner.reasons, inner.notes = (), inner.notes - {"unseen"}
            if "no-where" not in inner.notes:
                inner.bulk = ()
            merge(operation, inner)
    for trigger in relation.triggers.values():
        if trigger.calls and trigger.fires(event, written):
            follow_behind(ctx, trigger.calls, operation)


def _may_fire(relation: Relation) -> bool:
    return bool(relation.triggers or relation.children or relation.bound is not None)


def _functions(
    ctx: Context, relation: Relation, event: Event, written: frozenset[str] | None
) -> Iterator[tuple[Key, frozenset[str]]]:
    """(function, names of its transition tables) of the triggers of the table itself, and of those
    for each row of its partitions and of its parents."""
    if relation.triggers_off:
        return
    below = ctx.catalog.partitions_of(relation) if event != "TRUNCATE" else []
    if event == "INSERT" and relation.partition_key is None:
        below = []
    for each in (relation, *below, *_above(ctx, relation)):
        for trigger in each.triggers.values():
            if (each is relation or trigger.each_row) and _runs(trigger, event, written):
                yield trigger.function or ("", ""), trigger.transitions


def _runs(trigger: Trigger, event: Event, written: frozenset[str] | None) -> bool:
    return trigger.function is not None and trigger.fires(event, written)


def _above(ctx: Context, relation: Relation) -> list[Relation]:
    """The partitioned tables that it is a partition of: their triggers are its own."""
    if relation.bound is None:
        return []
    parents = [each for key in relation.parents if (each := ctx.catalog.relations.get(key))]
    return [*parents, *(upper for each in parents for upper in _above(ctx, each))]


def instead_of(ctx: Context, relation: Relation, event: Event | None, operation: Operation) -> bool:
    """Follow what stands beside or in the place of the statement; whether it does not run itself.

    `event` is None for MERGE, which knows neither.
    """
    instead = False
    if event is None or ctx.building or not (relation.rules or relation.kind == "view"):
        return False
    for rule in relation.rules.values():
        if rule.enabled and rule.event == f"CMD_{event}":
            instead = instead or rule.instead
            for action in rule.actions:
                for inner in _looked_at(ctx, action):
                    merge(operation, inner)
    if relation.kind == "view" and any(
        each.each_row and event in each.events for each in relation.triggers.values()
    ):
        hold_read(ctx, relation, operation, scan=True)
        fire(ctx, relation, event, operation)
        return True
    return instead


def _looked_at(ctx: Context, action: dict[str, dict[str, object]]) -> list[Operation]:
    """The operations of a rule's action, which stands in no file."""
    if ctx.step is None or ctx.body_depth > CASCADES:
        return []
    outer, ctx.step.operations = ctx.step.operations, []
    try:
        with ctx.in_body(1):
            for tag, node in action.items():
                ctx.look(ctx, tag, node)
        return ctx.step.operations
    finally:
        ctx.step.operations = outer


def deleted(ctx: Context, target: Relation, operation: Operation, depth: int = 0) -> None:
    """Foreign keys that point at deleted rows: looked up, deleted or set with them."""
    if ctx.planning:
        return
    for key in (target.key, *(each.key for each in _above(ctx, target))):
        for referrer, constraint in ctx.catalog.referrers_of(key):
            changes = constraint.on_delete in ("c", "n", "d")
            operation.lock(referrer, Lock.ROW_EXCLUSIVE if changes else Lock.ROW_SHARE)
            if constraint.on_delete == "c":
                if referrer.live and target.live:
                    operation.destroys += (f"rows of {referrer.label} (ON DELETE CASCADE)",)
                fire(ctx, referrer, "DELETE", operation)
                if depth < CASCADES and referrer is not target:
                    deleted(ctx, referrer, operation, depth + 1)
            elif changes:
                fire(ctx, referrer, "UPDATE", operation, frozenset(constraint.columns))


def rekeyed(
    ctx: Context, target: Relation, written: frozenset[str], operation: Operation, depth: int = 0
) -> None:
    """Foreign keys that point at columns which an UPDATE sets."""
    for referrer, constraint in () if ctx.planning else ctx.catalog.referrers_of(target.key):
        named = frozenset(constraint.refers_columns or primary_key(target))
        if not named & written:
            continue
        changes = constraint.on_update in ("c", "n", "d")
        operation.lock(referrer, Lock.ROW_EXCLUSIVE if changes else Lock.ROW_SHARE)
        if changes:
            own = frozenset(constraint.columns)
            fire(ctx, referrer, "UPDATE", operation, own)
            if depth < CASCADES and referrer is not target:
                rekeyed(ctx, referrer, own, operation, depth + 1)


def look_up(ctx: Context, tag: str, node: Node, target: Relation, operation: Operation) -> None:
    """Its own foreign keys are looked up, with row locks on the other table."""
    if tag in ("InsertStmt", "UpdateStmt") and not ctx.planning:
        for constraint in target.constraints.values():
            if constraint.refers_to is not None and _checked(tag, node, target, constraint):
                operation.lock(ctx.catalog.relations.get(constraint.refers_to), Lock.ROW_SHARE)


def _checked(tag: str, node: Node, target: Relation, constraint: Constraint) -> bool:
    """Whether the statement gives the key's columns a value that must be looked up."""
    if target.triggers_off or not constraint.enforced:
        return False
    if tag == "UpdateStmt":
        written = {each["ResTarget"].get("name") for each in node.get("targetList", ())}
        return bool(written & set(constraint.columns))
    given = {each["ResTarget"]["name"] for each in node.get("cols", ())}
    known = target.columns or {}
    return not given or all(
        name in given or (name in known and known[name].has_default) for name in constraint.columns
    )

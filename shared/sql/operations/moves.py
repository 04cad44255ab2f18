"""Relations, types, routines, schemas that get another name or place: what uses them goes along."""

from __future__ import annotations

from dataclasses import replace

from shared.sql.context import Context
from shared.sql.effects import NONE
from shared.sql.grammar import Node
from shared.sql.implied_calls import move_implied
from shared.sql.names import shown, split_name
from shared.sql.operations.routine_lookup import find_routine
from shared.sql.partition_indexes import move, name_now
from shared.sql.schema_objects import Key, Relation, Routine, UserType


def move_type(ctx: Context, names: list[Node], *, name: str = "", schema: str = "") -> None:
    """Give a type or domain another name, or put it into another schema."""
    given, called = split_name(names)
    found = ctx.catalog.type(given, called, ctx.path)
    if found is None:
        if ctx.catalog.complete:
            ctx.error("catalog", f'type "{shown(given, called)}" does not exist')
        return
    _move_type(ctx, found, (schema or found.schema, name or found.name))


def _move_type(ctx: Context, found: UserType, new: Key) -> None:
    old = found.key
    if new in ctx.catalog.types and new != old:
        ctx.error("catalog", f'type "{shown(*new)}" already exists')
        return
    users = [each for each in ctx.catalog.columns_of_type(old) if each[1].type.key == old]
    move_implied(ctx, old[1], new[1])
    del ctx.catalog.types[old]
    found.schema, found.name = new
    ctx.catalog.types[new] = found
    for _, column in users:
        column.type = replace(column.type, name=found.name, schema=found.schema)
    for domain in ctx.catalog.types.values():
        if domain.base is not None and domain.base.key == old:
            domain.base = replace(domain.base, name=found.name, schema=found.schema)
    for relation in ctx.catalog.relations.values():
        if relation.of_type == old:
            relation.of_type = found.key


def move_routine(ctx: Context, body: Node, *, name: str = "", schema: str = "") -> None:
    """`body` is the ObjectWithArgs that names it."""
    found = find_routine(ctx, body)
    if found is not None:
        _move_routine(ctx, found, (schema or found.schema, name or found.name))
    elif ctx.catalog.complete:
        given, called = split_name(body.get("objname"))
        if not ctx.catalog.routines_named(given, called, ctx.path):
            ctx.error("catalog", f"function {shown(given, called)}() does not exist")


def _move_routine(ctx: Context, routine: Routine, new: Key) -> None:
    old = (routine.schema, routine.name)
    others = ctx.catalog.routines.setdefault(new, [])
    if any(each.arguments == routine.arguments for each in others if each is not routine):
        ctx.error("catalog", f"function {shown(*new)}() already exists")
        return
    ctx.catalog.routines[old].remove(routine)
    others.append(routine)
    routine.schema, routine.name = new
    for relation in ctx.catalog.relations.values():
        for name, trigger in relation.triggers.items():
            if trigger.function == old:
                relation.triggers[name] = replace(trigger, function=new)
        if old[1] != new[1]:
            _rename_calls(ctx, relation, old[1], new[1])
    for name, event_trigger in ctx.catalog.event_triggers.items():
        if event_trigger.function == old:
            ctx.catalog.event_triggers[name] = replace(event_trigger, function=new)
    known_as = ctx.catalog.renamed_routines.get(old[1], NONE)
    ctx.catalog.renamed_routines[old[1]] = known_as | {new[1]}
    move_implied(ctx, old[1], new[1])


def _rename_calls(ctx: Context, relation: Relation, old: str, new: str) -> None:
    """What calls a function is known by its name alone."""
    if old in relation.calls:
        relation.calls |= {new}
    for column in (relation.columns or {}).values():
        if old in column.calls:
            column.calls |= {new}
    for index in ctx.catalog.indexes_of(relation.key):
        if old in index.calls:
            index.calls |= {new}


def move_schema(ctx: Context, old: str, new: str) -> None:
    """Types and routines of a schema that gets another name; its relations go by themselves."""
    for type_ in [each for each in ctx.catalog.types.values() if each.schema == old]:
        _move_type(ctx, type_, (new, type_.name))
    for key in [key for key in ctx.catalog.routines if key[0] == old]:
        for routine in list(ctx.catalog.routines[key]):
            _move_routine(ctx, routine, (new, routine.name))


def move_relation(ctx: Context, relation: Relation, schema: str, name: str) -> None:
    """Put a relation under another key, and everything that points at it."""
    old, new = relation.key, (schema, name)
    other = ctx.catalog.relations.get(new)
    if other is not None and other is not relation and not other.presumed:
        ctx.error("catalog", f'relation "{other.shown}" already exists')
        return
    name_now(ctx.catalog, relation)
    del ctx.catalog.relations[old]
    relation.move(schema, name)
    ctx.catalog.relations[new] = relation
    for each in ctx.catalog.tied_to(relation, old):
        if _repoint(each, old, new):
            ctx.catalog.note(each)
    for index in ctx.catalog.indexes_of(old):
        index.table = new
        move(ctx.catalog, index, schema, index.name)
    ctx.catalog.note(relation)
    if relation.kind == "sequence":
        for each in ctx.catalog.relations.values():
            for column in (each.columns or {}).values():
                column.sequence = new if column.sequence == old else column.sequence


def _repoint(relation: Relation, old: Key, new: Key) -> bool:
    """Whether the relation pointed at `old`; it points at `new` now."""
    pointed = False
    if old in relation.parents or old in relation.children:
        relation.parents = [new if key == old else key for key in relation.parents]
        relation.children = [new if key == old else key for key in relation.children]
        pointed = True
    if old in relation.reads:
        relation.reads[new] = relation.reads.pop(old)
        pointed = True
    if relation.owned_by is not None and relation.owned_by[0] == old:
        relation.owned_by = (new, relation.owned_by[1])
        pointed = True
    for constraint in relation.constraints.values():
        if constraint.refers_to == old:
            constraint.refers_to = new
            pointed = True
    return pointed

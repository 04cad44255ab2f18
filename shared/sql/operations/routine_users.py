"""What hangs on a function: triggers, generated columns, defaults, checks, indexes, views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import called
from shared.sql.locks import Lock
from shared.sql.names import shown
from shared.sql.operations.drop_column import drop_with, forget_column
from shared.sql.schema_objects import Relation, Routine

What = Literal["trigger", "column", "default", "constraint", "index", "view"]


@dataclass(frozen=True, slots=True)
class User:
    what: What
    name: str
    relation: Relation


def let_go(ctx: Context, routine: Routine, operation: Operation, *, cascade: bool) -> None:
    """A function goes: a problem for each that uses it, or, with CASCADE, they go too."""
    for user in list(_users(ctx, routine)):
        where = user.relation.shown
        words = where if user.what == "view" else f"{user.what} {user.name} on {where}"
        if not cascade:
            ctx.error(
                "catalog",
                f"cannot drop function {shown(routine.schema, routine.name)}(): {words} "
                f"{'runs' if user.what == 'trigger' else 'uses'} it",
                remedy=f"drop the {user.what} {user.name} first, or say CASCADE",
            )
            continue
        operation.gone += (words,)
        _drop(ctx, user, operation)


def _users(ctx: Context, routine: Routine) -> Iterator[User]:
    key = (routine.schema, routine.name)
    named = [r for k, known in ctx.catalog.routines.items() if k[1] == routine.name for r in known]
    alone = len(named) == 1
    indexed = {i.table for i in ctx.catalog.indexes.values() if routine.name in i.calls}
    alone = alone and routine.kind != "procedure"
    for relation in ctx.catalog.relations.values():
        for name, trigger in relation.triggers.items() if relation.triggers else ():
            if trigger.function == key:
                yield User("trigger", name, relation)
        if alone:
            yield from _callers(routine.name, relation)
            for index in ctx.catalog.indexes_of(relation.key) if relation.key in indexed else ():
                if routine.name in index.calls:
                    yield User("index", index.name, relation)
            if routine.name in relation.calls:
                yield User("view", relation.name, relation)


def _callers(name: str, relation: Relation) -> Iterator[User]:
    for column in (relation.columns or {}).values():
        if name in column.calls:
            yield User("column", column.name, relation)
        elif column.default and "A_Const" not in column.default and name in called(column.default):
            yield User("default", column.name, relation)
    for constraint in relation.constraints.values():
        if name in constraint.calls:
            yield User("constraint", constraint.name, relation)


def _drop(ctx: Context, user: User, operation: Operation) -> None:
    relation, name = user.relation, user.name
    operation.lock_all([relation, *ctx.catalog.partitions_of(relation)], Lock.ACCESS_EXCLUSIVE)
    if user.what == "trigger":
        relation.triggers.pop(name, None)
    elif user.what == "column":
        if relation.live and (relation.columns or {})[name].generated != "v":
            operation.destroys += (f"every value of {relation.label}.{name}",)
        forget_column(ctx, relation, name, operation)
    elif user.what == "default" and relation.columns is not None:
        relation.columns[name].has_default, relation.columns[name].default = False, None
    elif user.what == "constraint":
        relation.constraints.pop(name, None)
    elif user.what == "index":
        ctx.catalog.indexes.pop((relation.schema, name), None)
    elif user.what == "view":
        drop_with(ctx, relation, operation)

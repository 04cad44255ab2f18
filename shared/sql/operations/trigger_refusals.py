"""What CREATE TRIGGER is refused for: kinds of relations, transition tables, WHEN."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.expressions import walk
from shared.sql.grammar import Node
from shared.sql.mentions import mentions
from shared.sql.names import strings
from shared.sql.schema_objects import Relation, Routine

BEFORE, INSERT, DELETE, UPDATE, TRUNCATE, INSTEAD = 2, 4, 8, 16, 32, 64
"""TRIGGER_TYPE_* of pg_trigger.h; neither BEFORE nor INSTEAD is AFTER."""


def check(ctx: Context, relation: Relation, node: Node, known: list[Routine]) -> None:
    """`known`: the functions that bear the name of the one it runs."""
    for message in (
        *_on_kind(relation, node),
        *_transitions(relation, node),
        *_when(relation, node),
        *_function(known),
    ):
        ctx.error("catalog", message, at=node["relation"].get("location"))


def _on_kind(relation: Relation, node: Node) -> Iterator[str]:
    timing, events, row = node.get("timing", 0), node.get("events", 0), bool(node.get("row"))
    if timing & INSTEAD:
        if relation.kind == "table" and not relation.presumed:
            yield f'"{relation.shown}" is a table: INSTEAD OF triggers are for views'
        if not row:
            yield "INSTEAD OF triggers are FOR EACH ROW"
        if "whenClause" in node:
            yield "INSTEAD OF triggers have no WHEN"
        if "columns" in node:
            yield "INSTEAD OF triggers have no list of columns"
    elif relation.kind == "view" and (row or events & TRUNCATE):
        yield f'"{relation.shown}" is a view: it has no trigger BEFORE or AFTER a row or TRUNCATE'
    if relation.kind == "materialized view":
        yield f'"{relation.shown}" is a materialized view: it has no triggers'
    if row and events & TRUNCATE:
        yield "TRUNCATE triggers are FOR EACH STATEMENT"


def _transitions(relation: Relation, node: Node) -> Iterator[str]:
    events = node.get("events", 0)
    for wrapped in node.get("transitionRels", ()):
        new = bool(wrapped["TriggerTransition"].get("isNew"))
        word = "NEW TABLE" if new else "OLD TABLE"
        if node.get("timing", 0):
            yield f"{word} is for AFTER triggers"
        elif events not in (INSERT, UPDATE, DELETE):
            yield f"{word} is for triggers on one event, which is not TRUNCATE"
        elif events == (DELETE if new else INSERT):
            yield f"there is no {word} in a trigger on {'DELETE' if new else 'INSERT'}"
        elif "columns" in node:
            yield f"{word} is for triggers without a list of columns"
        elif relation.kind == "view":
            yield f'"{relation.shown}" is a view: its triggers have no {word}'
        elif node.get("row") and (relation.partition_key is not None or relation.parents):
            yield f"{word} FOR EACH ROW is not for partitions, children, or what has partitions"


def _when(relation: Relation, node: Node) -> Iterator[str]:
    """WHEN names columns of OLD and NEW, as far as the events have them."""
    given = node.get("whenClause")
    if not given:
        return
    if any(tag == "SubLink" for tag, _ in walk(given)):
        yield "WHEN of a trigger holds no query"
    for body in mentions(given).columns:
        side, *names = strings(body.get("fields"))
        if side not in ("old", "new"):
            yield f'WHEN of a trigger names "{side}" without OLD or NEW'
        elif not node.get("row"):
            yield "WHEN of a trigger FOR EACH STATEMENT names no column"
        elif node.get("events", 0) & (INSERT if side == "old" else DELETE):
            event = "INSERT" if side == "old" else "DELETE"
            yield f"WHEN of a trigger on {event} has no {side.upper()}"
        else:
            early = side == "new" and bool(node.get("timing", 0) & BEFORE)
            yield from _named(relation, names[0] if names else "*", early=early)


def _named(relation: Relation, name: str, *, early: bool) -> Iterator[str]:
    """`early`: generated columns are not computed yet."""
    columns = relation.columns
    if name == "*":
        if early and any(column.generated for column in (columns or {}).values()):
            yield "WHEN of a BEFORE trigger names all of NEW: the table has generated columns"
    elif name in _SYSTEM:
        if early:
            yield f"WHEN of a BEFORE trigger names NEW.{name}, a system column"
    elif columns is not None:
        if name not in columns:
            yield f'column "{name}" of relation "{relation.shown}" does not exist'
        elif early and columns[name].generated:
            yield f'WHEN of a BEFORE trigger names NEW."{name}", a generated column'


_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def _function(known: list[Routine]) -> Iterator[str]:
    if not known:
        return
    own = [each for each in known if not each.arguments]
    if not own:
        yield f"function {known[0].name}() does not exist: a trigger's has no parameters"
    elif all(each.returns not in ("", "trigger") for each in own):
        yield f"function {own[0].name}() returns {own[0].returns}, not trigger"

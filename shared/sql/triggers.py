"""Triggers and rules as a catalog knows them: on what they fire, and what they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.sql.grammar import Node
from shared.sql.mentions import mentions
from shared.sql.names import strings

Event = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
_BITS: dict[Event, int] = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
"""TRIGGER_TYPE_* of pg_trigger.h."""


@dataclass(frozen=True, slots=True)
class Trigger:
    function: tuple[str, str] | None = None
    columns: frozenset[str] = frozenset()
    """Columns that its UPDATE OF or WHEN names: they cannot change their type."""
    events: frozenset[Event] = frozenset()
    each_row: bool = False
    """On a view: INSTEAD OF."""
    of: frozenset[str] = frozenset()
    """Columns of UPDATE OF; empty for any."""
    enabled: bool = True
    transitions: frozenset[str] = frozenset()
    """Names under which its function reads the changed rows (REFERENCING NEW TABLE AS ..)."""
    calls: frozenset[str] = frozenset()
    """Functions that its WHEN calls, without their schemas."""

    def fires(self, event: Event, written: frozenset[str] | None) -> bool:
        """`written`: the columns that an UPDATE sets; None when they are not known."""
        if not self.enabled or event not in self.events:
            return False
        return event != "UPDATE" or not self.of or written is None or bool(self.of & written)


@dataclass(frozen=True, slots=True)
class EventTrigger:
    event: str
    """ddl_command_start, ddl_command_end, sql_drop, table_rewrite or login."""
    function: tuple[str, str]
    """(schema, name)"""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    event: str
    """`CMD_INSERT`, `CMD_UPDATE`, `CMD_DELETE`."""
    instead: bool
    """Always, whatever the row: the statement itself does not run."""
    actions: tuple[Node, ...] = ()
    enabled: bool = True


def read_trigger(node: Node, function: tuple[str, str] | None) -> Trigger:
    """From the tree of CREATE TRIGGER."""
    of = frozenset(strings(node.get("columns")))
    names = (strings(body.get("fields")) for body in mentions(node.get("whenClause")).columns)
    read = {each[-1] for each in names if each and each[-1] != "*"}
    return Trigger(
        function,
        of | read,
        frozenset(event for event, bit in _BITS.items() if node.get("events", 0) & bit),
        each_row=bool(node.get("row")),
        of=of,
        transitions=frozenset(
            each["TriggerTransition"]["name"] for each in node.get("transitionRels", ())
        ),
        calls=frozenset(
            strings(each.get("funcname"))[-1] for each in mentions(node.get("whenClause")).calls
        ),
    )


def read_rule(node: Node) -> Rule:
    """From the tree of CREATE RULE."""
    return Rule(
        node.get("event", ""),
        instead=bool(node.get("instead")) and "whereClause" not in node,
        actions=tuple(node.get("actions", ())),
    )

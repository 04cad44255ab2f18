"""Types, expressions and definitions that a server printed, read back by the grammar."""

from __future__ import annotations

from functools import cache

from shared.sql import grammar
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.schema_objects import Key, Type
from shared.sql.triggers import Rule, Trigger, read_rule, read_trigger
from shared.sql.types import read_type


@cache
def printed_type(text: str) -> Type:
    """What format_type printed; by its name alone where our grammar does not know it."""
    try:
        tree = grammar.parse(f"SELECT NULL::{text}".encode())
    except SyntaxProblem:
        return Type(text)
    target = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    found = read_type(target["TypeCast"]["typeName"])
    return found


def printed_result(text: str | None) -> str:
    """What a routine returns, from what pg_get_function_result printed; "" for nothing."""
    if not text:
        return ""
    if text.startswith("TABLE("):
        return "setof record"
    bare = text.removeprefix("SETOF ")
    return f"setof {printed_type(bare)}" if bare != text else str(printed_type(text))


def printed_expression(text: str | None) -> Node | None:
    """What pg_get_expr printed; None where it is nothing, or nothing that our grammar knows."""
    if not text:
        return None
    try:
        tree = grammar.parse(f"SELECT {text}".encode())
    except SyntaxProblem:
        return None
    found: Node = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return found


def printed_trigger(function: Key, text: str) -> Trigger:
    """`text` is the CREATE TRIGGER that pg_get_triggerdef printed."""
    node = grammar.parse(text.encode())[0]["stmt"]["CreateTrigStmt"]
    return read_trigger(node, function)


def printed_rule(text: str) -> Rule:
    """`text` is the CREATE RULE that pg_get_ruledef printed."""
    return read_rule(grammar.parse(text.encode())[0]["stmt"]["RuleStmt"])


def printed_bound(text: str) -> Node:
    """A partition's bound: `FOR VALUES ...` or `DEFAULT`."""
    tree = grammar.parse(f"ALTER TABLE a ATTACH PARTITION b {text}".encode())
    command = tree[0]["stmt"]["AlterTableStmt"]["cmds"][0]["AlterTableCmd"]
    found: Node = command["def"]["PartitionCmd"]["bound"]
    return found

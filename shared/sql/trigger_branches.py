"""The branches of a trigger function that its event can take: IF TG_OP = 'DELETE' THEN .."""

from __future__ import annotations

from typing import Any

from shared.sql import grammar
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import scalar, strings


def prune(tree: Any, event: str) -> None:
    """Take the branches out of a body's tree that cannot run when it is fired by `event`."""
    stack = [tree]
    while stack:
        each = stack.pop()
        if type(each) is list:
            stack.extend(each)
        elif type(each) is dict:
            if (body := each.get("PLpgSQL_stmt_if")) is not None:
                _prune_if(body, event)
            elif (body := each.get("PLpgSQL_stmt_case")) is not None:
                _prune_case(body, event)
            stack.extend(each.values())


def _prune_if(body: Node, event: str) -> None:
    branches: list[tuple[Node, str]] = [(body, "then_body")]
    branches += [(each["PLpgSQL_if_elsif"], "stmts") for each in body.get("elsif_list", ())]
    taken = False
    for branch, statements in branches:
        verdict = _verdict(_tree(branch["cond"]["PLpgSQL_expr"]["query"]), event)
        if taken or verdict is False:
            branch.pop(statements, None)
        taken = taken or verdict is True
    if taken:
        body.pop("else_body", None)


def _prune_case(body: Node, event: str) -> None:
    value = body.get("t_expr", {}).get("PLpgSQL_expr", {}).get("query", "")
    if value.strip().lower() != "tg_op":
        return
    for wrapped in body.get("case_when_list", ()):
        branch = wrapped["PLpgSQL_case_when"]
        named = _constants(_tree(branch["expr"]["PLpgSQL_expr"]["query"]).get("A_Expr", {}))
        if event in named:
            body.pop("else_stmts", None)
        elif named:
            branch.pop("stmts", None)


def _tree(condition: str) -> Node:
    try:
        trees = grammar.parse(f"SELECT {condition}".encode())
        found: Node = trees[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    except (SyntaxProblem, KeyError, IndexError):
        return {}
    return found


def _verdict(condition: Node, event: str) -> bool | None:
    """What a condition on TG_OP is; None of what depends on something else."""
    both = condition.get("BoolExpr")
    if both is not None:
        return _combined(both["boolop"], [_verdict(each, event) for each in both["args"]])
    body = condition.get("A_Expr", {})
    left = strings(body.get("lexpr", {}).get("ColumnRef", {}).get("fields"))
    named = _constants(body) if left == ["tg_op"] else []
    if not named or strings(body.get("name")) not in (["="], ["<>"]):
        return None
    return (event in named) is (strings(body["name"]) == ["="])


def _combined(operator: str, verdicts: list[bool | None]) -> bool | None:
    if operator == "NOT_EXPR":
        return None if verdicts[0] is None else not verdicts[0]
    decisive = operator == "OR_EXPR"
    if decisive in verdicts:
        return decisive
    return None if None in verdicts else not decisive


def _constants(body: Node) -> list[str]:
    """The texts that `x = 'a'` and `x IN ('a', 'b')` compare with."""
    right = body.get("rexpr", {})
    items = right["List"]["items"] if "List" in right else [right]
    return [str(scalar(each)) for each in items if "A_Const" in each]

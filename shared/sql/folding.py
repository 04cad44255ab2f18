"""The text of a constant expression: what EXECUTE will run, as far as constants go.

Parts that are not constant become a placeholder name, which shows what kind of statement it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from shared.domain.identifiers import ident, literal
from shared.sql.grammar import Node
from shared.sql.names import scalar, split_name, strings

PLACEHOLDER = "bluegreen_unknown"
Lookup = Callable[[str], str | None]
"""Name of a variable, or `record.field` -> its text, None when that is not known."""
_HIDING = re.compile(
    r"\b(chr|decode|convert_from|reverse|translate|overlay|set_byte|get_byte|unistr)\s*\(",
    re.IGNORECASE,
)


def hides(body: str) -> bool:
    """Whether a body, which runs a text that cannot be told, calls what serves to hide one."""
    return bool(_HIDING.search(body))


def fold(value: Node, known: Lookup = lambda _: None) -> str | None:
    """The text of the expression, with placeholders for what is not constant; None: all of it."""
    constant = scalar(value) if "A_Const" in value else None
    if constant is not None:
        return str(constant)
    if "TypeCast" in value:
        return fold(value["TypeCast"].get("arg", {}), known)
    if "ColumnRef" in value:
        return known(".".join(strings(value["ColumnRef"].get("fields"))))
    if "SubLink" in value:
        targets = value["SubLink"].get("subselect", {}).get("SelectStmt", {}).get("targetList", ())
        return fold(targets[0]["ResTarget"].get("val", {}), known) if len(targets) == 1 else None
    operator = value.get("A_Expr", {})
    if strings(operator.get("name")) == ["||"]:
        sides = (operator.get("lexpr", {}), operator["rexpr"])  # `|| 'x'` is one operand's
        left, right = (fold(side, known) for side in sides)
        if left is None and right is None:
            return None
        return _or_placeholder(left) + _or_placeholder(right)
    if strings(operator.get("name")) in (["+"], ["-"]):
        return _sum(operator, known)
    call = value.get("FuncCall")
    return None if call is None else _call(call, known)


def _sum(operator: Node, known: Lookup) -> str | None:
    """Of whole numbers: the bounds of a partition that a loop counts."""
    parts = [fold(operator[side], known) for side in ("lexpr", "rexpr") if side in operator]
    if len(parts) != 2 or not all(part and _WHOLE.fullmatch(part) for part in parts):
        return None
    left, right = (int(part) for part in parts if part)
    return str(left + right if strings(operator["name"]) == ["+"] else left - right)


_WHOLE = re.compile(r"-?\d{1,18}")


def _or_placeholder(text: str | None) -> str:
    return PLACEHOLDER if text is None else text


def _call(call: Node, known: Lookup) -> str | None:
    _, name = split_name(call.get("funcname"))
    folded = [fold(each, known) for each in call.get("args", [])]
    if not folded:
        return None
    if name == "format":
        return None if folded[0] is None else _fill(folded[0], folded[1:])
    if name in ("concat", "concat_ws"):
        if all(each is None for each in folded):
            return None
        joiner = (folded.pop(0) or " ") if name == "concat_ws" else ""
        return joiner.join(map(_or_placeholder, folded))
    if name in _ANY_OF:
        return folded[0]
    constants = [each for each in folded if each is not None]
    return _computed(name, constants) if len(constants) == len(folded) else None


_ANY_OF = frozenset({"string_agg", "array_agg", "array_to_string", "max", "min"})
"""Of many rows: one stands for all."""


def _computed(name: str, arguments: list[str]) -> str | None:
    """Functions of constants, for those who spell a statement in pieces."""
    compute = _FUNCTIONS.get((name, len(arguments)))
    try:
        return None if compute is None else compute(*arguments)
    except (ValueError, OverflowError):
        return None


def _decoded(text: str, form: str) -> str | None:
    try:
        data = base64.b64decode(text) if form == "base64" else bytes.fromhex(text)
    except (binascii.Error, ValueError):
        return None
    return data.decode("utf-8", "replace")


def _table(source: str, target: str) -> dict[int, str | None]:
    return {ord(c): target[i] if i < len(target) else None for i, c in enumerate(source)}


_FUNCTIONS: dict[tuple[str, int], Callable[..., str | None]] = {
    ("upper", 1): lambda text: text,
    ("lower", 1): lambda text: text,
    ("btrim", 1): lambda text: text,
    ("convert_from", 2): lambda text, _: text,
    ("unistr", 1): lambda text: text,
    ("quote_literal", 1): literal,
    ("quote_nullable", 1): literal,
    ("quote_ident", 1): ident,
    ("chr", 1): lambda number: chr(int(number)),
    ("reverse", 1): lambda text: text[::-1],
    ("replace", 3): lambda text, old, new: text.replace(old, new),
    ("decode", 2): lambda text, form: _decoded(text, form),
    ("repeat", 2): lambda text, times: (text * min(int(times), 1000))[:10_000],
    ("left", 2): lambda text, length: text[: int(length)],
    ("translate", 3): lambda text, old, new: text.translate(_table(old, new)),
}
"""By name and number of arguments; upper and lower change nothing of what a statement is."""


def _fill(template: str, values: list[str | None]) -> str:
    """A template of format() with its arguments, placeholders for unknown ones."""
    out, at, number = [], 0, 0
    while (sign := template.find("%", at)) >= 0:
        out.append(template[at:sign])
        end = sign + 1
        while end < len(template) and template[end] in "0123456789$-*":
            end += 1
        letter = template[end : end + 1]
        at = end + 1
        if letter == "%":
            out.append("%")
            continue
        given = values[number] if number < len(values) else None
        number += 1
        if letter == "L":
            out.append("'" + (given or "").replace("'", "''") + "'")
        else:
            out.append(_or_placeholder(given))
    out.append(template[at:])
    return "".join(out)

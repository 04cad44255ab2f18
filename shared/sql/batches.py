"""An UPDATE or DELETE of many rows, bounded to one stretch of a key: what a batch runs. Pure.

Whether the rewritten statement is the author's with one more condition is not left to the eye: the
server's grammar reads both, and their trees must say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.domain.identifiers import ident
from shared.sql import grammar
from shared.sql.grammar import Node, SyntaxProblem

_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_MARK = "bluegreen_key IS NULL"
"""Stands for the condition while the trees are compared."""


class NoBatchesError(Exception):
    """Why the statement cannot be cut; its text is for people."""


@dataclass(frozen=True, slots=True)
class Batched:
    """A statement that can be bounded, and where its keys are looked up."""

    table: str
    """Quoted as SQL, with ONLY where the statement has it."""
    key: str
    """Quoted name of the column."""
    key_in_statement: str
    """The same with the alias or table that the statement gives it."""
    _head: str
    _tail: str

    def within(self, condition: str) -> str:
        """The statement for the rows that also meet the condition."""
        return f"{self._head}{condition}{self._tail}"


def batched(tag: str, text: str, node: Node, *, table: str, key: str) -> Batched:
    """`text` and `node` are one statement; `table` and `key` are the directive's, as written.

    Raises NoBatchesError for one whose rows cannot be walked along that key.
    """
    relation = node["relation"]
    names = [relation[part] for part in ("schemaname", "relname") if part in relation]
    column = _folded(key)
    if _parts(table) not in (names, names[-1:]):
        raise NoBatchesError(f"the statement changes {'.'.join(names)}, not {table}")
    for part, what in (("returningClause", "RETURNING"), ("withClause", "WITH")):
        if part in node:
            raise NoBatchesError(f"a statement with {what} cannot be cut into batches")
    if tag == "UpdateStmt" and column in _written(node):
        raise NoBatchesError(f"it writes the key {key}: rows would move while they are walked")
    alias = relation.get("alias", {}).get("aliasname")
    only = "" if relation.get("inh") else "ONLY "
    head, tail = _opened(tag, text, node)
    return Batched(
        table=only + ident(*names),
        key=ident(column),
        key_in_statement=ident(alias or names[-1], column),
        _head=head,
        _tail=tail,
    )


def _opened(tag: str, text: str, node: Node) -> tuple[str, str]:
    """The text before and after the place of a further condition."""
    for head, tail in _candidates(text, has_where="whereClause" in node):
        if _is_same(tag, node, f"{head}{_MARK}{tail}"):
            return head, tail
    raise NoBatchesError("its WHERE cannot be found: write it without FROM, or more plainly")


def _candidates(text: str, *, has_where: bool) -> Iterator[tuple[str, str]]:
    if not has_where:
        yield f"{text}\nWHERE (", ")"
        return
    for found in reversed(list(_WHERE.finditer(text))):
        yield f"{text[: found.start()]}WHERE ({text[found.end() :]}\n) AND (", ")"


def _is_same(tag: str, node: Node, text: str) -> bool:
    try:
        trees = grammar.parse(text.encode())
    except SyntaxProblem:
        return False
    if len(trees) != 1 or tag not in trees[0]["stmt"]:
        return False
    found = _plain(trees[0]["stmt"][tag])
    wanted = _plain(node)
    condition = _plain(grammar.parse(f"SELECT {_MARK}".encode())[0]["stmt"])
    mark = condition["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    where = wanted.get("whereClause")
    if where is None:
        wanted["whereClause"] = mark
    else:
        both = where.get("BoolExpr", {})
        arguments = both["args"] if both.get("boolop") == "AND_EXPR" else [where]
        wanted["whereClause"] = {"BoolExpr": {"boolop": "AND_EXPR", "args": [*arguments, mark]}}
    return bool(found == wanted)


def _plain(tree: Any) -> Any:
    """The tree without places, which differ between two texts that say the same."""
    if isinstance(tree, list):
        return [_plain(each) for each in tree]
    if isinstance(tree, dict):
        return {name: _plain(each) for name, each in tree.items() if "location" not in name}
    return tree


def _written(node: Node) -> set[str]:
    return {each["ResTarget"].get("name", "") for each in node.get("targetList", ())}


def _parts(name: str) -> list[str]:
    """`app."My Table"` as its parts, folded as SQL folds them. Raises NoBatchesError."""
    try:
        trees = grammar.parse(f"SELECT FROM {name}".encode())
        (source,) = trees[0]["stmt"]["SelectStmt"]["fromClause"]
        relation = source["RangeVar"]
    except (SyntaxProblem, KeyError, ValueError):
        raise NoBatchesError(f"expected a table's name, found {name}") from None
    return [relation[part] for part in ("schemaname", "relname") if part in relation]


def _folded(column: str) -> str:
    parts = _parts(column)
    if len(parts) != 1:
        raise NoBatchesError(f"expected a column's name, found {column}")
    return parts[0]

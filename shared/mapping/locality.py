"""Whether an expression depends on nothing but its own row, by the server's own analysed tree.

The text cannot tell: `to_jsonb(m)` on a table m that has a column m reads a column, not the row.
Source: nodeToString form of a query in pg_rewrite.ev_action; equal on PostgreSQL 15 to 18 for the
fields that are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_FLAGS = {
    "hasSubLinks": "a sub-select",
    "hasAggs": "an aggregate",
    "hasWindowFuncs": "a window function",
    "hasTargetSRFs": "a function that returns several rows",
}
_NODES = {
    "SQLVALUEFUNCTION": "the time or the user of the session",
    "NEXTVALUEEXPR": "a sequence",
}
_FUNCTION = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)")
_COLUMN = re.compile(r"\{VAR :varno \d+ :varattno (-?\d+)")
"""The table's number differs: up to 15 a view's rule has two more tables in front."""
_NAMED = re.compile(
    r":\w*(?:type|typeid|typid|collid|colloid|collation|funcid|opno) (\d+)", re.IGNORECASE
)
"""Fields that name a function, an operator, a type or a collation."""
FIRST_OF_USERS = 16384
"""Oids below are PostgreSQL's own (FirstNormalObjectId)."""
SESSION_FUNCTIONS = frozenset(
    {
        "now", "transaction_timestamp", "statement_timestamp", "current_setting", "current_schema",
        "current_schemas", "current_database", "inet_client_addr", "inet_client_port", "version",
        "pg_current_xact_id", "pg_current_xact_id_if_assigned", "pg_current_snapshot",
        "txid_current", "txid_current_if_assigned", "txid_current_snapshot", "pg_backend_pid",
    }
)  # fmt: skip
"""Stable in the sense of one statement, but not a function of the row."""


@dataclass(frozen=True, slots=True)
class SeenFunction:
    """One row of pg_proc that an expression calls."""

    name: str
    volatility: str
    """`pg_proc.provolatile`: i, s, v."""
    built_in: bool
    compiled: bool
    """Of language c or internal; a stable one of another language may read tables."""


def functions_in(tree: str) -> list[int]:
    """Oids of the functions and operators that the tree calls."""
    return sorted({int(oid) for oid in _FUNCTION.findall(tree)} - {0})


def names_users_objects(tree: str) -> bool:
    """Whether it uses anything that is not PostgreSQL's own, so that its words mean what they mean
    by the search_path only."""
    return any(int(oid) >= FIRST_OF_USERS for oid in _NAMED.findall(tree))


def not_row_local(tree: str, functions: Iterable[SeenFunction]) -> list[str]:
    """What the expression depends on besides its row; empty when it is row-local."""
    found = [what for flag, what in _FLAGS.items() if f":{flag} true" in tree]
    found += [what for node, what in _NODES.items() if f"{{{node} " in tree]
    numbers = [int(number) for number in _COLUMN.findall(tree)]
    if 0 in numbers:
        found.append("the row as a whole")
    if any(number < 0 for number in numbers):
        found.append("a system column")
    for function in functions:
        if function.volatility == "v":
            found.append(f"the volatile function {function.name}")
        elif function.built_in and function.name in SESSION_FUNCTIONS:
            found.append(f"the function {function.name}")
        elif function.volatility == "s" and not function.built_in and not function.compiled:
            found.append(f"the function {function.name}, which may read tables (it is STABLE)")
    return found

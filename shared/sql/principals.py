"""Roles and tablespaces that a file names: they belong to the cluster, so no schema makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.sql.parse import Reading

_TABLESPACE_FIELDS = (
    "tablespacename",
    "tableSpaceName",
    "tableSpace",
    "orig_tablespacename",
    "new_tablespacename",
)
PREDEFINED = "pg_"
"""Names of roles and tablespaces that PostgreSQL itself brings begin with this."""


def roles_named(reading: Reading) -> set[str]:
    """Roles that the file takes to exist: owners, grantees, members; not those it makes."""
    found = {name for s in reading.statements for name in _roles({s.tag: s.node})}
    return {name for name in found - roles_made(reading) if not name.startswith(PREDEFINED)}


def roles_made(reading: Reading) -> set[str]:
    return {s.node["role"] for s in reading.statements if s.tag == "CreateRoleStmt"}


def tablespaces_named(reading: Reading) -> set[str]:
    found = {name for s in reading.statements for name in _tablespaces(s.node)}
    return {name for name in found if name and not name.startswith(PREDEFINED)}


def _dicts(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            yield each
            stack.extend(each.values())
        elif isinstance(each, list):
            stack.extend(each)


def _roles(tree: Any) -> Iterator[str]:
    for each in _dicts(tree):
        if isinstance(each.get("rolename"), str):
            yield each["rolename"]
        if "GrantRoleStmt" in each:
            for granted in each["GrantRoleStmt"].get("granted_roles", ()):
                yield granted["AccessPriv"].get("priv_name", "")


def _tablespaces(tree: Any) -> Iterator[str]:
    for each in _dicts(tree):
        for field in _TABLESPACE_FIELDS:
            if isinstance(each.get(field), str):
                yield each[field]
        if each.get("subtype") == "AT_SetTableSpace":
            yield each.get("name", "")

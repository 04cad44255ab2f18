"""Unique, primary and exclusion keys: what PostgreSQL asks of their columns."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import primary_key
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.names import strings
from shared.sql.operator_classes import check_type
from shared.sql.schema_objects import Constraint, Relation

KEYS = ("unique", "primary key", "exclude")


def check_keys(
    ctx: Context, relation: Relation, constraint: Constraint, node: Node, operation: Operation
) -> None:
    """A problem where a key constraint cannot be made; other constraints pass."""
    if constraint.kind not in KEYS:
        return
    if constraint.kind == "primary key" and primary_key(relation):
        ctx.error(
            "catalog",
            f"{relation.shown} already has a primary key",
            at=node.get("location"),
            remedy="drop the old one first",
        )
    covers_partition_key(ctx, relation, constraint.kind, constraint.columns)
    if constraint.kind == "exclude":
        method, names = node.get("access_method", "btree"), _plain_elements(node)
    elif node.get("without_overlaps"):
        method, names = "gist", list(constraint.columns)
    else:
        method, names = "btree", list(constraint.columns)
    for name in names:
        column = (relation.columns or {}).get(name)
        if column is not None:
            check_type(ctx, column.type, method, operation)


def covers_partition_key(
    ctx: Context, relation: Relation, what: str, columns: tuple[str, ...]
) -> None:
    key = relation.partition_key
    if key and what != "exclude" and not set(key) <= set(columns):
        ctx.error(
            "catalog",
            f"a {what} constraint on the partitioned table {relation.shown} "
            f"must hold every column of the partition key ({', '.join(key)})",
        )


def _plain_elements(node: Node) -> list[str]:
    """Columns that an EXCLUDE names bare; what it computes has a type that is not known here."""
    found = []
    for pair in node.get("exclusions", ()):
        items = pair["List"]["items"]
        element = items[0].get("IndexElem", {}) if items else {}
        if "name" in element and not strings(element.get("opclass")):
            found.append(element["name"])
    return found

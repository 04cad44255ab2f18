"""Whether replication can find every row: each table has a key, and none gets other values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.domain.objects import JOB, STANDING
from shared.sql.catalog import Catalog
from shared.sql.definitions import primary_key
from shared.sql.names import range_var, strings
from shared.sql.parse import Statement
from shared.sql.schema_objects import Relation

OURS = (STANDING, JOB)
OTHER_COLUMNS = ("AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType")


def unfound(label: str) -> tuple[str, str]:
    """(why, remedy) of a table whose rows replication cannot find."""
    return (
        f"table {label} has no key by which replication could find its rows",
        "add a primary key in a migration before this one, or"
        f" ALTER TABLE {label} REPLICA IDENTITY FULL; a DEFERRABLE key does not count",
    )


def unfound_by_all_columns(label: str) -> tuple[str, str]:
    """The same of one whose rows are found by all their columns, where the file changes those."""
    return (
        f"the file changes columns of {label}, whose REPLICA IDENTITY is FULL and which has no"
        " primary key of its own: a row could not be found by columns that are not on both sides",
        "give the table a primary key in a migration before this one, or use --type maintenance",
    )


def without_key(
    statements: Sequence[Statement], catalog: Catalog | None
) -> Iterator[tuple[str, str]]:
    """(why, remedy) of each table that cannot be followed: also those the file leaves alone."""
    if catalog is None or not catalog.complete:
        return
    dropped = {name[-1] for statement in statements for name in _dropped(statement)}
    for table in catalog.relations.values():
        if table.schema in OURS:  # in no publication
            continue
        whole = table.kind == "table" and table.bound is None and table.persistence == "p"
        problem = _no_key(table) if whole and table.name not in dropped else None
        if problem:
            yield problem


def _dropped(statement: Statement) -> Iterator[list[str]]:
    if statement.tag == "DropStmt" and statement.node.get("removeType") == "OBJECT_TABLE":
        for item in statement.node["objects"]:
            yield strings(item["List"]["items"])


def key_problem(statement: Statement, catalog: Catalog | None) -> tuple[str, str] | None:
    """A table without a key, or whose key gets other values, or which is found by columns that
    change; needs the catalog."""
    table = _table(statement, catalog)
    if table is None or table.kind != "table":
        return None
    if problem := _no_key(table):
        return problem
    if table.replica_identity == "f" and not primary_key(table) and _changes_columns(statement):
        return unfound_by_all_columns(table.shown)
    written = set(_written(statement))
    if table.replica_identity == "d" and written & set(primary_key(table)):
        return (
            f"a column of the key of {table.shown} gets other values",
            "give the table another unique key first (REPLICA IDENTITY USING INDEX), or use --type "
            "maintenance",
        )
    return None


def _no_key(table: Relation) -> tuple[str, str] | None:
    if table.replica_identity in ("f", "i"):
        return None
    if table.replica_identity == "d" and _immediate_key(table):
        return None
    return unfound(table.shown)


def _immediate_key(table: Relation) -> bool:
    return any(c.kind == "primary key" and not c.deferrable for c in table.constraints.values())


def _changes_columns(statement: Statement) -> bool:
    """More than their names, defaults and constraints."""
    return statement.tag == "UpdateStmt" or any(
        wrapped["AlterTableCmd"].get("subtype") in OTHER_COLUMNS
        for wrapped in statement.node.get("cmds", ())
    )


def _table(statement: Statement, catalog: Catalog | None) -> Relation | None:
    if catalog is None or statement.tag not in ("UpdateStmt", "AlterTableStmt"):
        return None
    schema, name = range_var(statement.node.get("relation", {}))
    return catalog.relation(schema, name, ["public"])


def _written(statement: Statement) -> Iterator[str]:
    """Columns that an UPDATE assigns, or an ALTER drops."""
    for target in statement.node.get("targetList", ()):
        yield target["ResTarget"].get("name", "")
    for wrapped in statement.node.get("cmds", ()):
        if wrapped["AlterTableCmd"].get("subtype") == "AT_DropColumn":
            yield wrapped["AlterTableCmd"].get("name", "")

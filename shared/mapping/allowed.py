"""Which kinds of statements a blue-green migration may hold; everything else is refused.

A function call that writes leaves no trace in an empty rehearsal, so what may write rows without
saying so (DO, SELECT f(), CALL) is not allowed, nor is what writes rows of more than itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.mapping.statements import refused
from shared.sql.parse import Statement

ALLOWED = frozenset(
    {
        "AlterTableStmt", "RenameStmt", "CreateStmt", "IndexStmt", "DropStmt", "ViewStmt",
        "CommentStmt", "CreateSeqStmt", "AlterSeqStmt", "CreateEnumStmt", "AlterEnumStmt",
        "CompositeTypeStmt", "CreateDomainStmt", "AlterDomainStmt", "CreateRangeStmt",
        "CreateFunctionStmt", "AlterFunctionStmt", "CreateTrigStmt", "GrantStmt",
        "AlterDefaultPrivilegesStmt", "AlterOwnerStmt", "AlterObjectSchemaStmt",
        "AlterObjectDependsStmt", "CreateSchemaStmt", "CreateExtensionStmt", "CreatePolicyStmt",
        "AlterPolicyStmt", "CreateStatsStmt", "AlterStatsStmt", "DefineStmt", "CreateCastStmt",
        "RuleStmt", "RefreshMatViewStmt", "TransactionStmt", "VariableSetStmt", "VacuumStmt",
        "ReindexStmt", "LockStmt", "UpdateStmt", "InsertStmt", "AlterTypeStmt", "SecLabelStmt",
        "ConstraintsSetStmt", "CreateTableAsStmt",
    }
)  # fmt: skip
"""Node types of the parser. What INSERT and CREATE TABLE AS may read and write: new_rows.py."""

AT_CUTOVER = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})

_REMEDIES = {
    "DoStmt": "write the statements themselves, or use --type maintenance",
    "SelectStmt": "leave it out, or use --type maintenance",
    "DeleteStmt": "delete in a safe migration before this one (`-- bluegreen: batch`)",
    "TruncateStmt": "truncate in a migration of its own, or use --type maintenance",
}
_COMMANDS_REFUSED = {
    "AT_SetUnLogged": "an unlogged table is not replicated",
    "AT_DetachPartition": "rows would leave the table on one side only",
    "AT_ReplicaIdentity": "replication finds rows by it",
    "AT_EnableReplicaTrig": "it would fire for replicated rows",
    "AT_EnableAlwaysTrig": "it would fire for replicated rows",
    "AT_SetTableSpace": "the two sides would differ",
}
_MAINTENANCE = "use --type maintenance, or do it in a migration of its own"


def check_allowed(statements: list[Statement]) -> None:
    """Raises Refused for the first statement of a kind that no mapping can carry."""
    for statement in statements:
        if statement.tag not in ALLOWED and not _is_setting(statement):
            remedy = _REMEDIES.get(statement.tag, _MAINTENANCE)
            raise refused(statement, "this kind of statement cannot be kept in sync", remedy)
        if statement.tag == "AlterTableStmt":
            _check_commands(statement)
        if statement.node.get("kind") in ("TRANS_STMT_ROLLBACK", "TRANS_STMT_ROLLBACK_TO"):
            raise refused(statement, "the file takes a part of itself back", "leave that part out")


def check_allowed_at_cutover(statements: list[Statement]) -> None:
    """Raises Refused for what is no change of rows: in the pause every lock is one too many."""
    for statement in statements:
        if statement.tag not in AT_CUTOVER:
            raise refused(
                statement,
                "only INSERT, UPDATE, DELETE and MERGE run in the pause",
                "take `at-cutover` away: a schema change is carried without it",
            )


def _is_setting(statement: Statement) -> bool:
    """`SELECT pg_catalog.set_config('search_path', ..)`, which every pg_dump begins with."""
    if statement.tag != "SelectStmt" or set(statement.node) - {"targetList", "limitOption", "op"}:
        return False
    listed = statement.node.get("targetList", ())
    targets = [target["ResTarget"].get("val", {}) for target in listed]
    return bool(targets) and all(_function(target) == "set_config" for target in targets)


def _function(node: Any) -> str:
    call = node.get("FuncCall")
    return str(call["funcname"][-1]["String"]["sval"]) if call else ""


def _check_commands(statement: Statement) -> None:
    for item in statement.node.get("cmds", ()):
        kind = item["AlterTableCmd"].get("subtype", "")
        if why := _COMMANDS_REFUSED.get(kind):
            raise refused(statement, why, _MAINTENANCE)


def _parts(relation: Any) -> tuple[str, ...]:
    schema, name = relation.get("schemaname"), relation["relname"]
    return (schema, name) if schema else (name,)


def named_relations(statements: list[Statement]) -> list[tuple[str, ...]]:
    """Every relation that the file names, each once, as the parts of its name."""
    found: dict[tuple[str, ...], None] = {}
    for statement in statements:
        for name in relation_names(statement.node):
            found[name] = None
    return list(found)


def relation_names(node: Any) -> Iterator[tuple[str, ...]]:
    """Every relation that a tree names, as the parts of its name."""
    if isinstance(node, dict):
        if isinstance(node.get("relname"), str):
            yield _parts(node)
        if node.get("removeType") in ("OBJECT_TABLE", "OBJECT_VIEW"):
            for item in node["objects"]:
                parts = item["List"]["items"]
                yield tuple(part["String"]["sval"] for part in parts)
        for value in node.values():
            yield from relation_names(value)
    elif isinstance(node, list):
        for item in node:
            yield from relation_names(item)

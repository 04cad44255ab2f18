"""Kinds of statements with something in them that is refused: (why, location) for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shared.sql.bodies import routine_source
from shared.sql.forbidden_names import (
    CATALOGS,
    EXTENSIONS,
    FUNCTIONS,
    OPTIONS_OF_FILES,
    POWERFUL_ROLES,
    POWERS,
    UNTRUSTED,
)
from shared.sql.grammar import Node
from shared.sql.names import scalar, split_name


def is_of_the_server(name: str) -> bool:
    return name in FUNCTIONS or name.startswith("dblink")


def _copy(node: Node) -> Iterator[tuple[str, int | None]]:
    if node.get("is_program"):
        yield "COPY .. PROGRAM runs a command on the server's host", None
    elif "filename" in node:
        yield f"COPY with a file of the server's host ({node['filename']})", None
    elif node.get("is_from"):
        yield "COPY FROM stdin: a file has nothing to send as input", None


def _system_rows(node: Node) -> Iterator[tuple[str, int | None]]:
    targets = [node.get("relation", {})]
    targets += [each.get("RangeVar", {}) for each in node.get("relations", ())]
    for target in targets:
        name, schema = target.get("relname", ""), target.get("schemaname")
        if schema in ("pg_catalog", "information_schema") or (
            schema is None and name.startswith("pg_") and name in CATALOGS
        ):
            yield (
                f"rows of the system catalog {name} are not changed by hand",
                target.get("location"),
            )


def _memberships(node: Node) -> Iterator[tuple[str, int | None]]:
    for granted in node.get("granted_roles", ()):
        name = granted["AccessPriv"].get("priv_name", "")
        if name.startswith("bg_"):
            yield "roles called bg_.. belong to the migrator", None
        if name in POWERFUL_ROLES:
            yield f"membership in {name} reaches beyond this database", None


def _powers(node: Node) -> Iterator[tuple[str, int | None]]:
    for each in node.get("options", ()):
        element = each.get("DefElem", {})
        argument = element.get("arg")
        on = scalar(argument) if argument is not None else True
        if element.get("defname") in POWERS and on not in (False, None):
            yield (
                "a role with SUPERUSER, REPLICATION or BYPASSRLS reaches beyond this database",
                (element.get("location")),
            )


def _untrusted(node: Node) -> Iterator[tuple[str, int | None]]:
    language, _ = routine_source(node)
    if language in UNTRUSTED:
        yield f"language {language} can do anything on the server's host", None


def _prepared(node: Node) -> Iterator[tuple[str, int | None]]:
    if "PREPARE" in node.get("kind", ""):
        yield "a prepared transaction would outlive the migration and hold its locks", None


def _extension(node: Node) -> Iterator[tuple[str, int | None]]:
    if why := EXTENSIONS.get(node.get("extname", "")):
        yield f"CREATE EXTENSION {node['extname']}: {why}", None


def _foreign(node: Node) -> Iterator[tuple[str, int | None]]:
    if node.get("fdwname") == "file_fdw":
        yield "a server of file_fdw reads files of the server's host", None
    for each in node.get("options", ()):
        if each.get("DefElem", {}).get("defname") in OPTIONS_OF_FILES:
            yield "a foreign table over a file or program of the server's host", None


def _language(node: Node) -> Iterator[tuple[str, int | None]]:
    if node.get("plname") in UNTRUSTED:
        yield f"language {node['plname']} can do anything on the server's host", None


def _whole_database(node: Node) -> Iterator[tuple[str, int | None]]:
    kind = node.get("renameType") or node.get("objectType") or "OBJECT_DATABASE"
    if kind == "OBJECT_DATABASE":
        yield "the database itself is what the doors lead to: its name and place stay", None


def _grant(node: Node) -> Iterator[tuple[str, int | None]]:
    if node.get("is_grant"):
        yield from _named_functions(node.get("objects"))


def _named_functions(tree: Any) -> Iterator[tuple[str, int | None]]:
    """Functions that are named, not called: of an aggregate, an operator or its class, a cast."""
    stack = [tree]
    while stack:
        each = stack.pop()
        if isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, dict):
            for names in (each.get("objname"), each.get("names")):
                if isinstance(names, list) and is_of_the_server(split_name(names)[1]):
                    name = split_name(names)[1]
                    yield f"{name}() acts on the server, its files or another server", None
            stack.extend(value for value in each.values() if isinstance(value, dict | list))


BY_STATEMENT: dict[str, Callable[[Node], Iterator[tuple[str, int | None]]]] = {
    "CopyStmt": _copy,
    "InsertStmt": _system_rows,
    "UpdateStmt": _system_rows,
    "DeleteStmt": _system_rows,
    "MergeStmt": _system_rows,
    "TruncateStmt": _system_rows,
    "CreateRoleStmt": _powers,
    "AlterRoleStmt": _powers,
    "CreateFunctionStmt": _untrusted,
    "DoStmt": _untrusted,
    "GrantRoleStmt": _memberships,
    "TransactionStmt": _prepared,
    "CreateExtensionStmt": _extension,
    "CreateForeignServerStmt": _foreign,
    "CreateForeignTableStmt": _foreign,
    "AlterForeignServerStmt": _foreign,
    "CreatePLangStmt": _language,
    "AlterDatabaseStmt": _whole_database,
    "RenameStmt": _whole_database,
    "AlterOwnerStmt": _whole_database,
    "GrantStmt": _grant,
    "DefineStmt": _named_functions,
    "CreateCastStmt": _named_functions,
    "CreateOpClassStmt": _named_functions,
    "AlterOpFamilyStmt": _named_functions,
    "CreateTransformStmt": _named_functions,
}

"""What does not belong into a migration: acts on the server, its files, other servers, or us.

Checked on every tree, wherever it stands: the file itself, DO blocks, function bodies, the text of
EXECUTE, the arguments of functions that run SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from shared.domain.objects import JOB, STANDING
from shared.sql import grammar
from shared.sql.bodies import PLACEHOLDER, Body, fold, read_body, routine_source
from shared.sql.context import Context
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import scalar, split_name
from shared.sql.words import words

UNTRUSTED = frozenset({"c", "internal", "plpython3u", "plpythonu", "plperlu", "pltclu", "plsh"})

_STATEMENTS = {
    "AlterSystemStmt": "ALTER SYSTEM changes the configuration of the whole server",
    "LoadStmt": "LOAD runs a library inside the server",
    "CreateSubscriptionStmt": "subscriptions belong to the migrator while a job is live",
    "AlterSubscriptionStmt": "subscriptions belong to the migrator while a job is live",
    "DropSubscriptionStmt": "subscriptions belong to the migrator while a job is live",
    "CreatedbStmt": "CREATE DATABASE is for the whole server, not for this database",
    "DropdbStmt": "DROP DATABASE is for the whole server, not for this database",
    "CreateTableSpaceStmt": "tablespaces are directories of the server's host",
    "DropTableSpaceStmt": "tablespaces are directories of the server's host",
    "CheckPointStmt": "CHECKPOINT is an act of the server's operator",
    "DiscardStmt": "DISCARD throws away the state of the session that runs the file",
}
_SETTINGS = {
    "role": "SET ROLE: the migrator decides who runs the file (setting migration_role)",
    "session_authorization": "SET SESSION AUTHORIZATION: the migrator decides who runs the file",
    "session_replication_role": "session_replication_role turns triggers and foreign keys off",
    "allow_system_table_mods": "allow_system_table_mods opens the system catalogs",
    "zero_damaged_pages": "zero_damaged_pages destroys data that cannot be read",
    "ignore_checksum_failure": "ignore_checksum_failure hides damaged data",
    "session_preload_libraries": "a library would run inside the server",
    "local_preload_libraries": "a library would run inside the server",
    "shared_preload_libraries": "a library would run inside the server",
    "standard_conforming_strings": "without standard_conforming_strings a string may end elsewhere "
    "than this check sees",
    "event_triggers": "event_triggers turns the freeze of the schema off",
}
_FUNCTIONS = words("""
    pg_read_file pg_read_binary_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir
    pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir
    pg_stat_file pg_current_logfile lo_import lo_export dblink dblink_exec dblink_connect
    dblink_connect_u dblink_send_query dblink_open dblink_fetch pg_terminate_backend
    pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_logfile_rotate pg_switch_wal pg_promote
    pg_create_physical_replication_slot pg_create_logical_replication_slot
    pg_drop_replication_slot pg_copy_physical_replication_slot pg_copy_logical_replication_slot
    pg_replication_slot_advance pg_logical_slot_get_changes pg_logical_slot_get_binary_changes
    pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes pg_logical_emit_message
    pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_advance
    pg_replication_origin_session_setup pg_replication_origin_session_reset
    pg_replication_origin_xact_setup pg_file_write pg_file_unlink pg_file_rename pg_file_sync
    pg_wal_replay_pause pg_wal_replay_resume pg_backup_start pg_backup_stop
    pg_create_restore_point pg_export_snapshot pg_import_system_collations
    pg_sync_replication_slots pg_log_backend_memory_contexts pg_stat_reset pg_stat_reset_shared
    pg_resetwal""")
_RUN_TEXT = words("""
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml ts_stat
    ts_rewrite crosstab xpath_table""")
"""Functions that run a query given as text."""
_POWERFUL_ROLES = words("""
    pg_execute_server_program pg_read_server_files pg_write_server_files pg_signal_backend
    pg_read_all_data pg_write_all_data pg_checkpoint pg_create_subscription pg_maintain
    pg_use_reserved_connections""")
_POWERS = frozenset({"superuser", "isreplication", "bypassrls"})
_OURS = (STANDING, JOB)
SUSPECT = re.compile(
    r"pg_|lo_|dblink|set_config|_to_xml|ts_|crosstab|xpath|role|authorization|allow_system"
    r"|zero_damaged|checksum|preload|conforming|event_trigger|bluegreen|bg_|u&|\\",
    re.IGNORECASE,
)
"""In the text of every statement that holds one of the names above, or may hide it by an escape.
A walk through the whole tree costs more than everything else that is done with a statement."""


def check(ctx: Context, tag: str, node: Node, text: str) -> None:
    """Every reason why this statement, or anything inside it, is refused; `text` is its own."""
    if ctx.building:
        return
    for why, at in _reasons(tag, node, text):
        ctx.error("forbidden", why, at=at, remedy=_remedy(why))


def check_body(ctx: Context, body: Body, depth: int = 0) -> None:
    """The same for every statement of a body, at the body's own lines; bodies inside it too."""
    for part in body.parts:
        try:
            trees = grammar.parse(part.text.encode())
        except SyntaxProblem:
            continue
        for raw in trees:
            for tag, node in raw["stmt"].items():
                with ctx.in_body(part.line):
                    check(ctx, tag, node, part.text)
                    if tag in ("CreateFunctionStmt", "DoStmt") and depth < _DEPTH:
                        _check_inner(ctx, node, part.text, depth)


_DEPTH = 8


def _check_inner(ctx: Context, node: Node, definition: str, depth: int) -> None:
    language, text = routine_source(node)
    with suppress(SyntaxProblem):
        check_body(ctx, read_body(language, text or "", definition), depth + 1)


def _remedy(why: str) -> str:
    if why.startswith("standard_conforming_strings"):
        return "leave it on, and write backslashes in E'..' strings"
    return "take it out of the migration: an administrator does it, if it must be done"


def _reasons(tag: str, node: Node, text: str) -> Iterator[tuple[str, int | None]]:
    if tag in _STATEMENTS:
        yield _STATEMENTS[tag], None
    elif tag == "CopyStmt":
        yield from _copy(node)
    elif tag in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt"):
        yield from _system_rows(node)
    elif tag in ("CreateRoleStmt", "AlterRoleStmt"):
        yield from _powers(node)
    elif tag in ("CreateFunctionStmt", "DoStmt"):
        language, _ = routine_source(node)
        if language in UNTRUSTED:
            yield f"language {language} can do anything on the server's host", None
    elif tag == "GrantRoleStmt":
        yield from _memberships(node)
    elif tag == "TransactionStmt" and "PREPARE" in node.get("kind", ""):
        yield "a prepared transaction would outlive the migration and hold its locks", None
    if SUSPECT.search(text):
        yield from _inside({tag: node})


def _memberships(node: Node) -> Iterator[tuple[str, int | None]]:
    for granted in node.get("granted_roles", ()):
        name = granted["AccessPriv"].get("priv_name", "")
        if name in _POWERFUL_ROLES:
            yield f"membership in {name} reaches beyond this database", None


def _inside(tree: Any) -> Iterator[tuple[str, int | None]]:
    """Calls, settings and names of ours anywhere below."""
    stack = [tree]
    while stack:
        each = stack.pop()
        if isinstance(each, list):
            stack.extend(each)
            continue
        if "funcname" in each:
            yield from _call(each)
        if str(each.get("kind", "")).startswith("VAR_SET") and "name" in each:
            yield from _setting(each["name"], each)
        yield from _our_names(each)
        stack.extend(value for value in each.values() if isinstance(value, dict | list))


def _setting(name: str, node: Node) -> Iterator[tuple[str, int | None]]:
    why = _SETTINGS.get(name.lower())
    if not why or str(node.get("kind", "")).startswith(("VAR_RESET", "VAR_SET_DEFAULT")):
        return
    value = scalar(node.get("args", [{}])[0]) if node.get("args") else None
    if name.lower() == "standard_conforming_strings" and str(value).lower() in ("on", "true", "1"):
        return
    if name.lower() == "event_triggers" and str(value).lower() in ("on", "true", "1"):
        return
    at = node.get("location", 0)
    yield why, at if at > 0 else None


def _call(call: Node) -> Iterator[tuple[str, int | None]]:
    schema, name = split_name(call.get("funcname"))
    at = call.get("location")
    arguments = call.get("args", ())
    if name in _FUNCTIONS and schema in (None, "pg_catalog", "public", "extensions"):
        yield f"{name}() acts on the server, its files or another server", at
    elif name == "set_config" and arguments:
        setting = str(fold(arguments[0]) or "").lower()
        value = fold(arguments[1]) if len(arguments) > 1 else None
        if setting == PLACEHOLDER or not setting:
            yield "set_config() of a setting whose name cannot be seen", at
        elif _SETTINGS.get(setting) and str(value).lower() not in ("on", "true", "1"):
            yield _SETTINGS[setting], at
    elif name in _RUN_TEXT and arguments:
        yield from _run_text(fold(arguments[0]), at)


def _run_text(text: str | None, at: int | None) -> Iterator[tuple[str, int | None]]:
    try:
        trees = grammar.parse((text or "").encode())
    except SyntaxProblem:
        return
    for raw in trees:
        for tag, node in raw["stmt"].items():
            yield from ((why, at) for why, _ in _reasons(tag, node, text or ""))


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
            schema is None and name.startswith("pg_") and name in _CATALOGS
        ):
            yield (
                f"rows of the system catalog {name} are not changed by hand",
                target.get("location"),
            )


_CATALOGS = words("""
    pg_class pg_attribute pg_attrdef pg_proc pg_type pg_constraint pg_index pg_namespace
    pg_authid pg_auth_members pg_database pg_trigger pg_event_trigger pg_depend pg_shdepend
    pg_largeobject pg_largeobject_metadata pg_enum pg_extension pg_operator pg_rewrite
    pg_sequence pg_statistic pg_settings pg_publication pg_subscription pg_replication_origin
    pg_policy pg_inherits pg_partitioned_table pg_roles pg_user pg_shadow pg_language
    pg_db_role_setting pg_tablespace pg_description pg_cast pg_aggregate""")


def _powers(node: Node) -> Iterator[tuple[str, int | None]]:
    for each in node.get("options", ()):
        element = each.get("DefElem", {})
        argument = element.get("arg")
        on = scalar(argument) if argument is not None else True
        if element.get("defname") in _POWERS and on not in (False, None):
            yield (
                "a role with SUPERUSER, REPLICATION or BYPASSRLS reaches beyond this database",
                (element.get("location")),
            )


def _our_names(body: Node) -> Iterator[tuple[str, int | None]]:
    """Objects of the migrator itself, whether a field names them or a list of words."""
    if body.get("schemaname") in _OURS:
        yield f"the schema {STANDING} belongs to the migrator", body.get("location")
    for items in (body.get("objects"), body.get("items"), body.get("objname")):
        for each in items or ():
            if isinstance(each, dict) and scalar(each) in _OURS:
                yield f"the schema {STANDING} belongs to the migrator", None
    name = body.get("rolename", body.get("role"))
    if isinstance(name, str) and name.startswith("bg_"):
        yield "roles called bg_.. belong to the migrator", body.get("location")

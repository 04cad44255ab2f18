"""The names behind shared.sql.forbidden: statements, settings, functions, catalogs, ours."""

from __future__ import annotations

import sys
from bisect import bisect_left

from shared.domain.objects import JOB, STANDING
from shared.sql.source import Source
from shared.sql.words import words

UNTRUSTED = frozenset({"c", "internal", "plpython3u", "plpythonu", "plperlu", "pltclu", "plsh"})

STATEMENTS = {
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
SETTINGS = {
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
FUNCTIONS = words("""
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
RUN_TEXT = words("""
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml ts_stat
    ts_rewrite crosstab xpath_table""")
"""Functions that run a query given as text."""
POWERFUL_ROLES = words("""
    pg_execute_server_program pg_read_server_files pg_write_server_files pg_signal_backend
    pg_read_all_data pg_write_all_data pg_checkpoint pg_create_subscription pg_maintain
    pg_use_reserved_connections""")
EXTENSIONS = {
    "dblink": "it reaches other servers",
    "file_fdw": "it reads files of the server's host",
    "adminpack": "it writes files of the server's host",
    "plpython3u": "its functions can do anything on the server's host",
    "plpythonu": "its functions can do anything on the server's host",
    "plperlu": "its functions can do anything on the server's host",
    "pltclu": "its functions can do anything on the server's host",
    "plsh": "its functions can do anything on the server's host",
}
SECRETS = words("""
    pg_authid pg_shadow pg_hba_file_rules pg_ident_file_mappings pg_file_settings""")
"""What holds passwords, or the server's own files as rows."""
OPTIONS_OF_FILES = frozenset({"filename", "program"})
POWERS = frozenset({"superuser", "isreplication", "bypassrls"})
OURS = (STANDING, JOB)
_HINTS = (
    "pg_", "lo_import", "lo_export", "dblink", "set_config", "_to_xml", "ts_stat", "ts_rewrite",
    "crosstab", "xpath_table", "role", "authorization", "allow_system", "zero_damaged", "checksum",
    "preload", "conforming", "event_trigger", "bluegreen", "bg_", "u&", "\\",
)  # fmt: skip
"""In the text of every statement that holds one of the names above, or may hide it by an escape.
A walk through the whole tree costs more than everything else that is done with a statement."""


_HINT_BYTES = tuple(hint.encode() for hint in _HINTS)


def is_suspect(text: str) -> bool:
    """Whether a statement's text may hold one of the names above."""
    lowered = text.lower()
    for hint in _HINTS:  # noqa: SIM110 (any() takes twice as long)
        if hint in lowered:
            return True
    return False


class Suspects:
    """Which statements of a file may hold one of the names above: searched once through the file,
    because asking each statement for each of them takes longer than parsing it."""

    __slots__ = ("_at", "_plain")

    def __init__(self, source: Source) -> None:
        data = source.lowered
        found = set()
        for hint in _HINT_BYTES:
            at = data.find(hint)
            while at >= 0:
                found.add(at)
                end = data.find(b";", at)
                at = data.find(hint, end) if end >= 0 else -1
        self._at = [*sorted(found), sys.maxsize]
        self._plain = source.plain

    def holds(self, start: int, text: str) -> bool:
        """Whether it is so of the statement that begins at that byte."""
        before = self._at[bisect_left(self._at, start)] - start
        if before >= _WIDEST * len(text):
            return False
        length = len(text) if self._plain else len(text.encode("utf-8", "surrogatepass"))
        return before < length


_WIDEST = 4
"""Bytes of a character in UTF-8, at most."""


CATALOGS = words("""
    pg_class pg_attribute pg_attrdef pg_proc pg_type pg_constraint pg_index pg_namespace
    pg_authid pg_auth_members pg_database pg_trigger pg_event_trigger pg_depend pg_shdepend
    pg_largeobject pg_largeobject_metadata pg_enum pg_extension pg_operator pg_rewrite
    pg_sequence pg_statistic pg_settings pg_publication pg_subscription pg_replication_origin
    pg_policy pg_inherits pg_partitioned_table pg_roles pg_user pg_shadow pg_language
    pg_db_role_setting pg_tablespace pg_description pg_cast pg_aggregate""")

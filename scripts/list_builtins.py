"""Write shared/sql/builtin/*.tsv from real servers: functions and settings, since which version.

Run it when a new PostgreSQL version is to be supported:

    python -m scripts.list_builtins 15 16 18
"""

from __future__ import annotations

import sys
from pathlib import Path

from shared.sql.words import words
from tests.support.cluster import postgres

TARGET = Path(__file__).parent.parent / "shared" / "sql" / "builtin"
FUNCTIONS = """
SELECT proname, max(array_position('{i,s,v}', provolatile::text)), bool_or(prokind = 'a')
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a', 'w')
  AND NOT ('internal'::regtype = ANY (proargtypes::oid[]) OR prorettype IN (
      'internal'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype))
  AND proname !~ '^(RI_FKey|_pg|binary_upgrade)'
GROUP BY proname ORDER BY proname COLLATE "C"
"""
SETTINGS = 'SELECT name FROM pg_settings ORDER BY name COLLATE "C"'


SINCE_17 = words("""
    to_bin to_oct uuid_extract_timestamp uuid_extract_version unicode_assigned xmltext
    pg_basetype to_regtypemod pg_sync_replication_slots pg_available_wal_summaries
    pg_wal_summary_contents pg_get_wal_summarizer_state pg_column_toast_chunk_id
    allow_alter_system event_triggers huge_pages_status io_combine_limit max_notify_queue_pages
    summarize_wal sync_replication_slots synchronized_standby_slots trace_connection_negotiation
    transaction_timeout transaction_buffers subtransaction_buffers serializable_buffers
    notify_buffers multixact_member_buffers multixact_offset_buffers commit_timestamp_buffers
    wal_summary_keep_time restrict_nonsystem_relation_kind""")
"""New in 17 (release notes), for a machine that has 16 and 18 but no 17."""


def main(versions: list[int]) -> None:
    since: dict[str, int] = {}
    volatility: dict[str, str] = {}
    settings: dict[str, int] = {}
    for version in sorted(versions):
        with postgres(version) as server, server.connect() as connection:
            for name, rank, _ in connection.execute(FUNCTIONS).fetchall():
                since.setdefault(name, 17 if name in SINCE_17 else version)
                volatility[name] = "isv"[rank - 1]
            for (name,) in connection.execute(SETTINGS).fetchall():
                settings.setdefault(name, 17 if name in SINCE_17 else version)
    first = min(versions)
    lines = [f"{name}\t{volatility[name]}\t{since[name] if since[name] > first else ''}".rstrip()
             for name in sorted(since)]  # fmt: skip
    (TARGET / "functions.tsv").write_text("\n".join(lines) + "\n")
    lines = [f"{name}\t{settings[name] if settings[name] > first else ''}".rstrip()
             for name in sorted(settings)]  # fmt: skip
    (TARGET / "settings.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]])

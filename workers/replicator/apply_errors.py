"""Why a subscription stopped, in the server's own words: they stand only in its log.

Source: PostgreSQL manual, "Using JSON-Format Log Output".
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from shared.domain.errors import Refused
from shared.ports import Session

TAIL_BYTES = 512 * 1024
LOG_TAIL = """
SELECT pg_read_binary_file(path, greatest(0, (pg_stat_file(path)).size - %s), %s)
FROM pg_current_logfile('jsonlog') AS path WHERE path IS NOT NULL
"""
WORKERS = ("logical replication worker", "logical replication apply worker",
           "logical replication parallel worker")  # fmt: skip


def last_apply_error(session: Session) -> str:
    """The newest error of an apply worker on that server; where to look when none can be read."""
    try:
        tail = session.value(LOG_TAIL, [TAIL_BYTES, TAIL_BYTES])
    except Refused:  # a managed server, whose log only its service reads
        tail = None
    lines = bytes(tail or b"").decode("utf-8", "replace").splitlines()
    return newest_error(reversed(lines)) or "the server's log says why"


def newest_error(lines: Iterable[str]) -> str:
    """The first error of an apply worker among JSON log lines, newest first; "" when none is."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the first line of a tail begins anywhere
        if entry.get("backend_type") in WORKERS and entry.get("error_severity") == "ERROR":
            said = (entry.get("message"), entry.get("detail"), entry.get("context"))
            return "; ".join(part for part in said if part)
    return ""

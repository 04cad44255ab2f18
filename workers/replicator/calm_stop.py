"""Have a server that is to be stopped write its buffers first, no faster than its neighbours bear.

A stop writes all of them at once, in a checkpoint without a pace, and on a shared disk commits of
the active side wait behind it (measured: 13 MB, waits of 64 ms). A backup may ask for a checkpoint
that spreads its writes over a share of the time between two: made small enough, over seconds.
Source: PostgreSQL manual, "pg_backup_start", "checkpoint_completion_target"; docs/adr/0028.
"""

from __future__ import annotations

from contextlib import suppress

from shared.domain.errors import MigrationError
from shared.ports import Node, Session

SPREAD_OVER_S, LONGEST_S = 2.0, 20.0
BYTES_PER_S = 1e8
"""Not even a cache full of changed buffers is written faster, unless that takes too long."""
LIMIT_S = 60.0
"""A checkpoint may be under way already; it takes the new pace, and ours comes behind it."""
DATABASE = "postgres"
SHARE = """
SELECT least(0.9, least(greatest(pg_size_bytes(current_setting('shared_buffers')) / %s, %s), %s)
                  / setting::float8)
FROM pg_settings WHERE name = 'checkpoint_timeout' AND NOT pg_is_in_recovery()
"""
SET_SHARE = "ALTER SYSTEM SET checkpoint_completion_target = "
RESET_SHARE = "ALTER SYSTEM RESET checkpoint_completion_target"
RELOAD = "SELECT pg_reload_conf()"
SPREAD = "SELECT pg_backup_start('bluegreen writes out', false)"
END = "SELECT pg_backup_stop(false)"


def write_out(node: Node) -> None:
    """For a running server whose data directory is given up: its own settings are written over.

    It only smooths what the stop does anyway, so whatever does not allow it is passed over.
    """
    if not node.driver.is_running():
        return
    with suppress(MigrationError), node.session(database=DATABASE, limit_s=LIMIT_S) as session:
        share = session.value(SHARE, [BYTES_PER_S, SPREAD_OVER_S, LONGEST_S])
        if share is None:  # a standby, which has no checkpoint of its own
            return
        session.execute(f"{SET_SHARE}{float(share):.4f}")
        try:
            _spread(session)
        finally:
            session.execute(RESET_SHARE)


def _spread(session: Session) -> None:
    session.value(RELOAD)
    session.value(SPREAD)
    session.value(END)

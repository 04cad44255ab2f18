"""Who may work on a cutover: one switch and one watchdog, by session locks on the new side.

A lock ends with its session, and the session with its process; so whoever gets the lock knows that
no frozen process of an earlier attempt is still there to wake up.
"""

from __future__ import annotations

from shared.domain.errors import Transient
from workers.proxy_agent.side import ServerSide

CLASS = 1_650_944_077
"""First half of our advisory locks' key; any constant that nobody else uses."""
SWITCH = 1
WATCHDOG = 2
HOLDER = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid = %s::bigint::oid AND objid = %s::bigint::oid LIMIT 1"""


def take(side: ServerSide, lock: int) -> None:
    """Hold it until the session ends. Raises Transient when somebody else does."""
    if not side.session.value("SELECT pg_try_advisory_lock(%s, %s)", (CLASS, lock)):
        holder = side.session.value(HOLDER, (CLASS, lock))
        raise Transient(
            f"expected no other cutover at work on {side.colour}, found one in session {holder}; "
            "it ends by itself, or `bluegreen proxy switch` takes over from it"
        )


def expect_free(side: ServerSide, lock: int) -> None:
    """Raises Transient while somebody holds it."""
    take(side, lock)
    side.session.execute("SELECT pg_advisory_unlock(%s, %s)", (CLASS, lock))


def evict(side: ServerSide) -> None:
    """End the sessions of whoever holds one of ours: what they still send has no effect."""
    side.session.execute("SELECT bluegreen.evict(%s)", (CLASS,))

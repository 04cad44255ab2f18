"""What the end of the rollback window takes away, in an order that a repeat can follow.

The way back first: from then on nothing needs the old shape. Triggers one by one, each with a lock
limit, so that no client waits behind us. Columns under a short pause, since removing them changes
what `SELECT *` returns: the pool comes back with new server sessions that have no old plans.
"""

from __future__ import annotations

from shared.domain.errors import Transient
from shared.domain.identifiers import ident
from shared.domain.objects import FORWARD, JOB, REVERSE
from shared.mapping.model import Mapping
from shared.ports import Node, Session
from workers.replicator import subscription
from workers.replicator.poll import holds_within

LOCK_LIMIT_S = 0.1
SLOT_LIMIT_S = 2.0
DROP_REVERSE_SLOT = "SELECT bluegreen.drop_stream_slot('back')"
NOTHING_LEFT = """
SELECT NOT EXISTS (SELECT FROM pg_publication WHERE pubname = %s)
   AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)
   AND NOT EXISTS (SELECT FROM pg_subscription WHERE subname = %s)
   AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)
"""
LANDING_LEFT = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = ANY (%s)
               AND NOT attisdropped)
"""


def nothing_left(active: Session) -> bool:
    return bool(active.value(NOTHING_LEFT, [REVERSE, REVERSE, FORWARD, JOB]))


def close_way_back(old: Node, active: Session) -> None:
    """Stop what replicates either way; the old side may be down, it is given up anyway."""
    if old.driver.is_running():
        with old.session() as session:
            subscription.drop(session, REVERSE)
    subscription.drop(active, FORWARD)
    if not holds_within(SLOT_LIMIT_S, lambda: active.value(DROP_REVERSE_SLOT)):
        raise Transient(f"expected slot {REVERSE} to be let go, found it read; trying again")
    active.execute(f"DROP PUBLICATION IF EXISTS {ident(REVERSE)}")


def has_landing(active: Session, mapping: Mapping) -> bool:
    """Whether columns are left whose removal changes the shape of a table in use."""
    return any(
        active.value(LANDING_LEFT, [table.final.sql, [c.final for c in table.of("landing")]])
        for table in mapping.tables
        if table.of("landing")
    )

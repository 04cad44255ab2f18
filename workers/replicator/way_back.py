"""The way back, made before the pause: publication on green, disabled subscription on the source.

No slot exists yet, so nothing flows and nothing loops; the cutover creates it and enables. Names
are in state sync on both sides, so the subscription finds its tables; it remembers them by oid.
"""

from __future__ import annotations

from shared.domain.objects import REVERSE
from shared.mapping.model import Mapping
from shared.mapping.publication import reverse_publication
from shared.ports import Node, Session
from workers.replicator import subscription

HAS_PUBLICATION = "SELECT count(*) = 1 FROM pg_publication WHERE pubname = %s"


def is_ready(source: Session, target: Session) -> bool:
    return bool(target.value(HAS_PUBLICATION, [REVERSE])) and subscription.exists(source, REVERSE)


def prepare(
    source: Session, target: Session, target_node: Node, mapping: Mapping, database: str
) -> None:
    if not target.value(HAS_PUBLICATION, [REVERSE]):
        with target.transaction():
            for statement in reverse_publication(mapping, "sync"):
                target.execute(statement)
    conninfo = target_node.replication_conninfo(database=database)
    subscription.create_disabled(source, REVERSE, conninfo)


def remove_from_source(source: Session) -> None:
    """What stays when green is given up; on green it goes with the rewind."""
    subscription.drop(source, REVERSE)

"""Read ServerFacts from one server, in one session."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from shared.adapters.named_queries import named_queries
from shared.domain.errors import Refused, Transient
from shared.domain.objects import AGENT_ROLES, JOB, POOLER_ROLE, REPLICATION_ROLES, STANDING
from shared.ports import HostLoad, Measuring, Node, Session
from workers.health_monitor.snapshot import (
    Client,
    KeptState,
    LongTransaction,
    Replica,
    ServerFacts,
    Slot,
)

_SQL = named_queries(__file__, "server_facts.sql")
OURS = (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE)
LONG_S = 30.0
"""A transaction that is older would hold up the fork's slot, or the locks of a safe file."""
LIMIT_S = 10.0

CONTENTS = (
    "without_identity", "unlogged", "large_objects", "replica_triggers", "writing_event_triggers",
    "subscriptions", "publications",
)  # fmt: skip
"""What the query `contents` answers, in its order."""


def read_server(node: Node, *, exempt: Sequence[str], touched: Sequence[str] = ()) -> ServerFacts:
    """`exempt` are the roles that are no clients: administrators and those named so in settings;
    `touched` the tables that the file locks.

    Raises Transient when the server cannot be reached, Broken when it is another one.
    """
    others = [*OURS, *exempt]
    with node.session(limit_s=LIMIT_S) as session:
        row = session.row(_SQL["identity"])
        assert row is not None, "a SELECT without FROM has a row"
        version_num, identifier, in_recovery, size, prepared = row
        contents = {} if in_recovery else _contents(session)
        return ServerFacts(
            version_num=version_num,
            system_identifier=identifier,
            in_recovery=in_recovery,
            settings=dict(session.rows(_SQL["settings"])),
            slots=tuple(Slot(*slot) for slot in session.rows(_SQL["slots"])),
            replicas=tuple(Replica(*replica) for replica in session.rows(_SQL["replicas"])),
            databases=tuple(name for (name,) in session.rows(_SQL["databases"])),
            database_bytes=size,
            prepared_transactions=prepared,
            long_transactions=tuple(
                LongTransaction(*found)
                for found in session.rows(_SQL["long_transactions"], (others, LONG_S))
            ),
            clients=_clients(session, others),
            sees_us_at=str(session.value(_SQL["sees_us_at"])),
            session_state=tuple(
                KeptState(*found) for found in session.rows(_SQL["session_state"], (others, others))
            ),
            background=tuple(name for (name,) in session.rows(_SQL["background"])),
            extensions=tuple(name for (name,) in session.rows(_SQL["extensions"])),
            free_disk_bytes=_free_disk(node),
            host=_host(node),
            touched_bytes=int(session.value(_SQL["touched"], (list(touched),))),
            superusers=tuple(name for (name,) in session.rows(_SQL["superusers"], (others,))),
            **contents,
        )


def read_clients(node: Node, *, exempt: Sequence[str]) -> tuple[Client, ...]:
    """Who is connected over TCP right now. Raises as `read_server`."""
    with node.session(limit_s=LIMIT_S) as session:
        return _clients(session, [*OURS, *exempt])


def _clients(session: Session, others: list[str]) -> tuple[Client, ...]:
    return tuple(Client(*found) for found in session.rows(_SQL["clients"], (others,)))


def _contents(session: Session) -> dict[str, Any]:
    """Fields of ServerFacts: names as tuples, and a count."""
    row = session.row(_SQL["contents"], (STANDING, JOB))
    assert row is not None, "a SELECT without FROM has a row"
    found = (tuple(one) if isinstance(one, list) else int(one) for one in row)
    return dict(zip(CONTENTS, found, strict=True))


def _host(node: Node) -> HostLoad | None:
    if not isinstance(node.driver, Measuring):
        return None
    with suppress(Refused, Transient):
        return node.driver.load()
    return None


def _free_disk(node: Node) -> int | None:
    try:
        return node.driver.free_disk_bytes()
    except (Refused, Transient):
        return None

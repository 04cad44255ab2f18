"""Rules about who is connected, what they hold, and through which door they came."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.objects import AGENT_ROLES
from workers.health_monitor.rules.finding import Finding, listed
from workers.health_monitor.snapshot import Client, Snapshot

PROBE_ROLE = AGENT_ROLES["health-monitor"]
OLDEST_POOLER = (1, 21)
"""The first that keeps prepared statements across server connections."""


def prepared_transactions(snapshot: Snapshot) -> Iterator[Finding]:
    found = snapshot.source.prepared_transactions
    if found:
        yield Finding(
            f"expected no prepared transaction, found {found}: each holds back the fork and would "
            "not be carried",
            "COMMIT PREPARED or ROLLBACK PREPARED each of pg_prepared_xacts",
        )


def long_transactions(snapshot: Snapshot) -> Iterator[Finding]:
    found = snapshot.source.long_transactions
    if found:
        oldest = found[0]
        yield Finding(
            f"{len(found)} transactions are open for long, the oldest of {oldest.user} for "
            f"{oldest.age_s:.0f} s (pid {oldest.pid}): the fork and each strong lock wait for them",
            f"end them, or SELECT pg_terminate_backend({oldest.pid})",
            refuses=False,
        )


def application_superuser(snapshot: Snapshot) -> Iterator[Finding]:
    role = snapshot.application_role
    if role in snapshot.source.superusers:
        yield Finding(
            f"the application's role {role} is a superuser: a fence cannot hold it back",
            f"CREATE ROLE app_user LOGIN PASSWORD '..'; REASSIGN OWNED BY {role} TO app_user; "
            "and let the application log in as app_user",
        )


def other_superusers(snapshot: Snapshot) -> Iterator[Finding]:
    others = tuple(name for name in snapshot.source.superusers if name != snapshot.application_role)
    if others:
        yield Finding(
            f"further superusers can log in ({listed(others)}): what they do is not held back",
            f"ALTER ROLE {others[0]} NOSUPERUSER, or keep them away meanwhile",
            refuses=False,
        )


def bypassing(snapshot: Snapshot) -> list[Client]:
    """Whoever is no connection of the pooler's, by address and port, came past the doors. Where all
    of ours come from one address, whoever comes from it counts as ours."""
    if snapshot.pooler is None:
        return []
    return [
        client
        for client in snapshot.source.clients
        if (client.address, client.port) not in snapshot.pooler.sockets
        and client.address not in {*snapshot.door_addresses, snapshot.translated}
        and client.application not in snapshot.exempt_applications
    ]


def bypassing_clients(snapshot: Snapshot) -> Iterator[Finding]:
    """Seen at two looks: a connection that the pooler opens between the two readings of one look
    is not yet known to be its own."""
    past = [client for client in bypassing(snapshot) if _stays(client, snapshot)]
    if past:
        names = tuple(sorted({_named(client) for client in past}))
        yield Finding(
            f"{len(past)} sessions came past the doors ({listed(names)}): the cutover would end "
            "them, and nothing would lead them to the other side",
            "connect through the pooled or the direct door; name what must come past them, such "
            "as monitoring, in `exempt_roles` or `exempt_applications` of the settings",
        )


def state_in_the_pool(snapshot: Snapshot) -> Iterator[Finding]:
    """A pooled server session is everybody's: what one client left in it is lost by a cutover."""
    if snapshot.pooler is None:
        return
    kept = [
        state
        for state in snapshot.source.session_state
        if (state.address, state.port) in snapshot.pooler.sockets
    ]
    if kept:
        names = tuple(sorted({f"{state.what} of {state.user}" for state in kept}))
        yield Finding(
            f"expected no state of a session in the pool, found {listed(names)}: it belongs to "
            "nobody there, and ends with the cutover",
            "connect through the direct door for LISTEN, session locks and temporary tables",
            refuses=False,
        )


def _stays(client: Client, snapshot: Snapshot) -> bool:
    key = (client.user, client.address, client.application)
    return snapshot.stays is None or key in snapshot.stays


def _named(client: Client) -> str:
    told = f" ({client.application})" if client.application else ""
    return f"{client.user} from {client.address}{told}"


def pooler_present(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.pooler is None:
        yield Finding(
            "expected the pooler's admin console to answer, found nobody",
            "start PgBouncer, or mend `pooler` in the settings",
        )


def pooled_door(snapshot: Snapshot) -> Iterator[Finding]:
    """Where nobody answers now, `confirm` would take the migration back after the cutover."""
    if snapshot.pooler is not None and snapshot.door_answers is False:
        yield Finding(
            f"expected a login of {PROBE_ROLE} through the pooled door to be answered, found none",
            "see the pooler's log; where PgBouncer cannot ask the servers for verifiers, name"
            f" {PROBE_ROLE} and the application in its auth_file",
        )


def pooler_version(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.pooler is not None and snapshot.pooler.version < OLDEST_POOLER:
        found = ".".join(map(str, snapshot.pooler.version))
        yield Finding(
            f"expected PgBouncer 1.21 or later, found {found}: prepared statements of clients "
            "would fail after the cutover",
            "upgrade PgBouncer, and set max_prepared_statements",
        )


def pooler_mode(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.pooler is not None and snapshot.pooler.pool_mode != "transaction":
        yield Finding(
            f"expected transaction pooling, found {snapshot.pooler.pool_mode}: PAUSE would wait "
            "until every client has left",
            "set pool_mode = transaction for the database",
        )


def pooler_hold(snapshot: Snapshot) -> Iterator[Finding]:
    pooler = snapshot.pooler
    if snapshot.holds_clients and pooler is not None and pooler.query_wait_timeout_s > 0:
        yield Finding(
            f"clients that are held for more than {pooler.query_wait_timeout_s:.0f} s "
            "(query_wait_timeout) get an error",
            "where the file takes longer, turn them away at once with --on-maintenance refuse",
            refuses=False,
        )


def pooler_patience(snapshot: Snapshot) -> Iterator[Finding]:
    pooler = snapshot.pooler
    if pooler is not None and 0 < pooler.query_wait_timeout_s <= snapshot.pause_limit_s:
        yield Finding(
            f"expected query_wait_timeout above {snapshot.pause_limit_s:.1f} s, found "
            f"{pooler.query_wait_timeout_s:.1f} s: held clients would be refused",
            "set query_wait_timeout = 60, and reload the pooler",
        )

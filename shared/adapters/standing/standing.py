"""The standing schema on a migrated database: privileged acts that agents may execute, not do.

Guarantee   schema `bluegreen` holds every function of the files named here, owned by a role
            that cannot log in; each agent may execute exactly those listed here
Repeats     safe: everything is replaced in place, the stored fence list and attempts are kept
Fails with  Refused    the session is not the administrator's
Source      PostgreSQL manual, "Writing SECURITY DEFINER Functions Safely"; docs/adr/0005
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from shared.domain.identifiers import ident
from shared.domain.objects import (
    AGENT_ROLES,
    APPLY_ROLE,
    OWNER_ROLE,
    POOLER_ROLE,
    REPLICATION_ROLES,
    STANDING,
)
from shared.ports import Session

FILES = (
    "standing.sql",
    "standing_attempt.sql",
    "standing_pause.sql",
    "standing_sequences.sql",
    "standing_carried.sql",
    "standing_take_over.sql",
    "standing_streams.sql",
    "standing_health.sql",
    "standing_failover.sql",
    "standing_copy.sql",
    "standing_retention.sql",
)
QUICK_DEADLOCKS = "SET deadlock_timeout = '10ms'"
"""In the pause; without it autovacuum may hold a lock for a second. Only superusers may set it, or
give that right: where nobody did, the functions are made without."""
MAY_SET = """
SELECT rolsuper OR has_parameter_privilege(oid, 'deadlock_timeout', 'SET')
FROM pg_roles WHERE rolname = %s
"""
FENCING = ("fence()", "lift()", "is_fenced()", "terminate(boolean)", "empty(integer)")
CUTOVER = (
    *FENCING,
    "sessions()",
    "end_transactions_older_than(integer)",
    "clear_probe()",
    "open_attempt(bigint, text, text, text, boolean)",
    "fence_old(bigint)",
    "write_marker(text)",
    "see_marker(text, integer)",
    "await_marker(text, integer)",
    "prepare_new(bigint, jsonb)",
    "create_return_slot(bigint)",
    "prepare_old(bigint)",
    "commit_new(bigint, timestamp with time zone)",
    "commit_old(bigint)",
    "part(bigint)",
    "begin_return(bigint, pg_lsn)",
    "mend_streams(text)",
    "is_meant_to_run(text, text)",
    "burn(bigint)",
    "give_back(bigint)",
    "revoke(bigint)",
    "evict(bigint)",
    "take_over(bigint, text, text, bigint)",
    "yield_to(bigint, text, text)",
    "applied_up_to(text)",
    "drop_stream_slot(text)",
    "sequence_positions()",
    "advance_sequences(jsonb, integer)",
    "warm()",
    "has_rows_before(oid, bigint)",
)
EXECUTES: dict[str, tuple[str, ...]] = {
    AGENT_ROLES["proxy-agent"]: CUTOVER,
    AGENT_ROLES["replicator"]: (
        *FENCING,
        "write_marker(text)",
        "await_marker(text, integer)",
        "mend_streams(text)",
        "may_start_again(text)",
        "is_unproven(text)",
        "contents()",
        "make_empty(text)",
        "forget_old(double precision)",
    ),
    AGENT_ROLES["validator"]: ("write_marker(text)", "await_marker(text, integer)"),
    AGENT_ROLES["health-monitor"]: (
        "is_fenced()",
        "contents()",
        "may_be_emptied(text)",
        "errors_since(timestamp with time zone)",
        "errors_after(text, bigint)",
        "promote(integer)",
        "note_failover(text, name, name, integer)",
        "lost_values()",
    ),
    POOLER_ROLE: ("pooler_auth(text)",),
}
"""Role -> the functions it may execute; everybody else may execute none."""
READ_BY = (AGENT_ROLES["proxy-agent"], AGENT_ROLES["replicator"], AGENT_ROLES["health-monitor"])
"""Roles that may look at attempts, at who is fenced or exempt, and at what was left behind."""


def install(
    session: Session,
    *,
    application_role: str,
    administrator: str,
    exempt_roles: Sequence[str] = (),
) -> None:
    """Bring the standing schema up to date on the database of this session.

    The session is the administrator's, and the login roles exist. `exempt_roles` are login roles
    that a fence leaves alone, besides ours and the administrator.
    """
    with session.transaction():
        for name in FILES:
            text = files("shared.adapters.standing").joinpath(name).read_text(encoding="utf-8")
            if name != FILES[0] and not session.value(MAY_SET, [OWNER_ROLE]):
                text = text.replace(QUICK_DEADLOCKS, "")
            session.execute(text)
        session.execute(f"DELETE FROM {STANDING}.exempt_role")  # noqa: S608 (a constant)
        for role in sorted({*_our_login_roles(), administrator, *exempt_roles}):
            session.execute(f"INSERT INTO {STANDING}.exempt_role VALUES (%s)", (role,))  # noqa: S608
        _grant(session, application_role)


def _our_login_roles() -> tuple[str, ...]:
    return (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE, APPLY_ROLE)


def _grant(session: Session, application_role: str) -> None:
    schema = ident(STANDING)
    session.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC")
    known = {row[0] for row in session.rows("SELECT rolname FROM pg_roles")}
    for role, functions in EXECUTES.items():
        if role in known:
            session.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ident(role)}")
            for function in functions:
                session.execute(f"GRANT EXECUTE ON FUNCTION {schema}.{function} TO {ident(role)}")
    for role in READ_BY:
        if role in known:
            session.execute(
                f"GRANT SELECT ON {schema}.attempt, {schema}.fenced_role, {schema}.exempt_role, "
                f"{schema}.failover, {schema}.given_up "
                f"TO {ident(role)}"
            )
    session.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ident(application_role)}")
    session.execute(f"GRANT INSERT ON {schema}.probe TO {ident(application_role)}")


def remove(session: Session) -> None:
    """Take the standing schema away again, as the administrator; absent is fine."""
    session.execute(f"DROP SCHEMA IF EXISTS {ident(STANDING)} CASCADE")
    session.execute(f"DROP ROLE IF EXISTS {ident(OWNER_ROLE)}")

"""Prepare a server that Bluegreen did not make: our roles with what they need, the standing schema.

Guarantee   each agent has its login; what changes the server belongs to `bg_owner`, who cannot
            log in. Superusers only where that is asked for; else they get rights one by one
Repeats     safe: what is there is kept, passwords and grants are given again
Fails with  Refused    the session may not give one of the rights: the server's own words
Source      docs/managed-servers.md lists each right, and what it is for
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shared.adapters.standing import standing
from shared.adapters.verifier import fits, verifier
from shared.domain.identifiers import ident, literal
from shared.domain.objects import (
    AGENT_ROLES,
    APPLY_ROLE,
    OWNER_ROLE,
    POOLER_ROLE,
    REPLICATION_ROLES,
)
from shared.ports import Session

REPLICATOR = AGENT_ROLES["replicator"]
LOGINS = {
    REPLICATOR: "CREATEDB REPLICATION",
    AGENT_ROLES["validator"]: "BYPASSRLS",
    AGENT_ROLES["backup"]: "BYPASSRLS",
    AGENT_ROLES["health-monitor"]: "",
    AGENT_ROLES["proxy-agent"]: "",
    REPLICATION_ROLES["blue"]: "REPLICATION BYPASSRLS",
    REPLICATION_ROLES["green"]: "REPLICATION BYPASSRLS",
    POOLER_ROLE: "",
}
GROUPS = {
    "pg_read_all_data": (
        AGENT_ROLES["validator"], AGENT_ROLES["backup"], *REPLICATION_ROLES.values(),
    ),
    "pg_monitor": (
        AGENT_ROLES["validator"], AGENT_ROLES["health-monitor"], AGENT_ROLES["proxy-agent"],
        OWNER_ROLE,
    ),
    "pg_signal_backend": (OWNER_ROLE,),
    "pg_create_subscription": (APPLY_ROLE,),
}  # fmt: skip
"""Predefined roles and who is in them; one that the server does not know yet (before 16) is not
given: making subscriptions is then a superuser's right."""
ORIGINS = (
    "FUNCTION pg_replication_origin_advance(text, pg_lsn)",
    "FUNCTION pg_replication_origin_progress(text, boolean)",
    "FUNCTION pg_show_replication_origin_status()",
    "TABLE pg_replication_origin_status",
)
"""How far a stream has come and where it begins, in this database."""
PARAMETERS = ("session_replication_role", "deadlock_timeout")
"""Rows filled without firing the user's triggers; a lock in the pause not waited for a second."""
KNOWN = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
VERIFIERS_ARE_READABLE = "SELECT has_table_privilege('pg_authid', 'SELECT')"
APPLICATION_LOGINS = """
SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL (%s)
"""
OWNERS = """
SELECT DISTINCT pg_get_userbyid(refobjid)::text FROM pg_shdepend AS d
WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
  AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()
"""


def prepare(
    session: Session,
    secret: Callable[[str], str],
    *,
    application_role: str,
    administrator: str,
    exempt_roles: Sequence[str] = (),
    superuser: bool = False,
    rests: bool = False,
) -> None:
    """On the migrated database of one server, as its administrator; the application's role exists.

    `rests`: this side does not serve, and is closed to the application until a cutover opens it.
    """
    make_roles(session, secret, superuser=superuser)
    if not superuser:
        for grant in _grants(session, [*_ours(), administrator, *exempt_roles]):
            session.execute(grant)
    standing.install(
        session,
        application_role=application_role,
        administrator=administrator,
        exempt_roles=exempt_roles,
    )
    if rests:
        session.value("SELECT bluegreen.fence()")


def _ours() -> tuple[str, ...]:
    return (*LOGINS, OWNER_ROLE, APPLY_ROLE)


def make_roles(session: Session, secret: Callable[[str], str], *, superuser: bool) -> None:
    """Ours, with their passwords. What belongs to a database alone is not given here."""
    power = "SUPERUSER" if superuser else "CREATEROLE REPLICATION"
    act = "ALTER" if session.value(KNOWN, [OWNER_ROLE]) else "CREATE"
    session.execute(f"{act} ROLE {ident(OWNER_ROLE)} NOLOGIN {power}")
    if not superuser and not session.value(KNOWN, [APPLY_ROLE]):
        session.execute(f"CREATE ROLE {ident(APPLY_ROLE)} LOGIN")  # nobody knows a password of it
    for role, attributes in LOGINS.items():
        more = "SUPERUSER" if superuser and role == REPLICATOR else attributes
        act = "ALTER" if session.value(KNOWN, [role]) else "CREATE"
        password = f" PASSWORD {literal(verifier(secret(role)))}"
        if _keeps(session, role, secret(role)):
            password = ""
        session.execute(f"{act} ROLE {ident(role)} LOGIN {more}{password}")
    for group, members in GROUPS.items():
        if session.value(KNOWN, [group]):
            for member in members:
                if session.value(KNOWN, [member]):
                    session.execute(f"GRANT {ident(group)} TO {ident(member)}")


def _keeps(session: Session, role: str, secret: str) -> bool:
    """Whether the role is known to have that password: only superusers may look."""
    if not session.value(VERIFIERS_ARE_READABLE):
        return False
    return fits(
        session.value("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]), secret
    )


def _grants(session: Session, not_the_applications: list[str]) -> Iterator[str]:
    """What a superuser would have of itself."""
    owner, replicator, apply = ident(OWNER_ROLE), ident(REPLICATOR), ident(APPLY_ROLE)
    yield f"GRANT {apply} TO {owner}"
    yield f"GRANT {owner} TO {replicator}"
    database = str(session.value("SELECT current_database()"))
    yield f"GRANT CREATE ON DATABASE {ident(database)} TO {owner}, {apply}"
    for (role,) in session.rows(APPLICATION_LOGINS, [not_the_applications]):
        yield f"GRANT {ident(role)} TO {owner} WITH ADMIN OPTION"  # NOLOGIN is its fence
    for (role,) in session.rows(OWNERS):
        if role not in not_the_applications and not role.startswith("pg_"):
            yield f"GRANT {ident(role)} TO {owner}, {replicator}, {apply}"
    for what in ORIGINS:
        right = "EXECUTE" if what.startswith("FUNCTION") else "SELECT"
        yield f"GRANT {right} ON {what} TO {owner}"
    for parameter in PARAMETERS:
        yield f"GRANT SET ON PARAMETER {parameter} TO {owner}"

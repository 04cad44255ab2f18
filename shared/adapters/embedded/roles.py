"""Roles, grants and the application's database on the active server; the standby carries them.

Each agent has a login of its own with what it needs and no more. `bg_replicator` is a superuser:
PostgreSQL 15 lets no one else make subscriptions and event triggers.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.adapters.embedded.secrets_store import APPLICATION
from shared.adapters.verifier import verifier
from shared.domain.identifiers import ident, literal
from shared.domain.objects import (
    AGENT_ROLES,
    OWNER_ROLE,
    POOLER_ROLE,
    REPLICATION_ROLES,
    STANDBY_SLOTS,
)
from shared.ports import Session

DATABASE = "app"
SERVER_DATABASE = "postgres"
ATTRIBUTES = {
    AGENT_ROLES["replicator"]: "SUPERUSER",
    AGENT_ROLES["validator"]: "BYPASSRLS",
    AGENT_ROLES["backup"]: "BYPASSRLS",
    AGENT_ROLES["health-monitor"]: "",
    AGENT_ROLES["proxy-agent"]: "",
    REPLICATION_ROLES["blue"]: "REPLICATION",
    REPLICATION_ROLES["green"]: "REPLICATION",
    POOLER_ROLE: "",
    APPLICATION: "",
}
MEMBERSHIPS = (
    ("pg_read_all_data", AGENT_ROLES["validator"]),
    ("pg_monitor", AGENT_ROLES["validator"]),
    ("pg_read_all_data", AGENT_ROLES["backup"]),
    ("pg_monitor", AGENT_ROLES["health-monitor"]),
    ("pg_monitor", AGENT_ROLES["proxy-agent"]),
)
REWIND_FUNCTIONS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
"""What the other server's pg_rewind calls here (PostgreSQL manual, pg_rewind, "Notes")."""


def create_roles(session: Session, secret: Callable[[str], str]) -> None:
    """On the server's own database, as its administrator. Repeating it changes nothing.

    From here on it keeps WAL for green.
    """
    session.execute(_unless_role(OWNER_ROLE, "SUPERUSER NOLOGIN"))
    for role, attributes in ATTRIBUTES.items():
        password = literal(verifier(secret(role)))
        session.execute(_unless_role(role, f"LOGIN {attributes} PASSWORD {password}"))
    for group, member in MEMBERSHIPS:
        session.execute(f"GRANT {ident(group)} TO {ident(member)}")
    grant_rewind(session)
    slot = [STANDBY_SLOTS["green"]]
    known = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
    if session.value(known, slot) is None:
        session.execute("SELECT pg_create_physical_replication_slot(%s, true)", slot)


def create_database(session: Session, name: str = DATABASE) -> None:
    """The application's database, owned by its role: a plain one, never a superuser."""
    if session.value("SELECT 1 FROM pg_database WHERE datname = %s", [name]) is None:
        session.execute(f"CREATE DATABASE {ident(name)} OWNER {ident(APPLICATION)}")


def grant_rewind(session: Session) -> None:
    """Function grants belong to one database; pg_rewind connects to the server's own."""
    for role in REPLICATION_ROLES.values():
        for function in REWIND_FUNCTIONS:
            session.execute(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {ident(role)}")


def _unless_role(role: str, options: str) -> str:
    create = f"CREATE ROLE {ident(role)} {options}"
    return (
        f"DO $body$ BEGIN IF to_regrole({literal(ident(role))}) IS NULL THEN "
        f"{create}; END IF; END $body$"
    )

"""The stack's servers that are not migrated: who logs in at the control and at the scratch server.

Guarantee   the control server has the control database and one login per agent, with the rights of
            that agent; the scratch server has the login that restores there, its only superuser
            besides the administrator
Repeats     safe, at each `up`
Fails with  Transient a server does not answer in time
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from shared.adapters.compose.inventory import (
    CONTROL_ADMINISTRATOR,
    CONTROL_LOGINS,
    CONTROL_RIGHTS,
    SCRATCH_ADMINISTRATOR,
)
from shared.adapters.compose.reaching import open_session, until
from shared.adapters.compose.vault import Vault
from shared.adapters.control.install import install as install_control
from shared.adapters.control.roles import grant
from shared.adapters.embedded.roles import SERVER_DATABASE
from shared.adapters.embedded.secrets_store import ADMINISTRATOR, CONTROL_ROLE
from shared.adapters.postgres import PsycopgSession
from shared.adapters.verifier import verifier
from shared.domain.identifiers import ident, literal
from shared.settings import Settings


def make_control(settings: Settings, vault: Vault) -> None:
    server = settings.control
    administrator = vault.secret(CONTROL_ADMINISTRATOR)

    def as_administrator(database: str) -> AbstractContextManager[PsycopgSession]:
        return open_session(server.host, server.port, database, ADMINISTRATOR, administrator)

    def look() -> bool:
        with as_administrator(SERVER_DATABASE):
            return True

    until(look, "the control database to answer")
    with as_administrator(SERVER_DATABASE) as session:
        _login(session, CONTROL_ROLE, "", vault)
        for login in CONTROL_LOGINS.values():
            _login(session, login, "", vault)
            session.execute(f"ALTER ROLE {ident(login)} NOSUPERUSER")
        _nobody_inherits_from_the_owner(session)
        if not session.value("SELECT 1 FROM pg_database WHERE datname = %s", [server.database]):
            session.execute(f"CREATE DATABASE {ident(server.database)} OWNER {ident(CONTROL_ROLE)}")
    secret = vault.secret(CONTROL_ROLE)

    def schema_stands() -> bool:
        with open_session(server.host, server.port, server.database, CONTROL_ROLE, secret) as owner:
            install_control(owner)
            grant(owner, CONTROL_RIGHTS)
            return True

    # Agents of an `up` before this one may be at work: whoever loses a deadlock tries again.
    until(schema_stands, "the schema of the control database to be installed")


def make_scratch(settings: Settings, vault: Vault) -> None:
    server = settings.scratch
    assert server is not None, "every service of the stack is told of it"
    secret = vault.secret(SCRATCH_ADMINISTRATOR)

    def known() -> bool:
        with open_session(
            server.host, server.port, server.database, ADMINISTRATOR, secret
        ) as session:
            _login(session, server.user, "SUPERUSER", vault)
        return True

    until(known, "the scratch server to answer")


def _nobody_inherits_from_the_owner(session: PsycopgSession) -> None:
    """Whoever is a member of the tables' owner is held back by no grant and no policy."""
    members = "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = %s::regrole"
    for (member,) in session.rows(members, [CONTROL_ROLE]):
        session.execute(f"REVOKE {ident(CONTROL_ROLE)} FROM {member}")


def _login(session: PsycopgSession, role: str, attributes: str, vault: Vault) -> None:
    if session.value("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]) is None:
        password = literal(verifier(vault.secret(role)))
        session.execute(f"CREATE ROLE {ident(role)} LOGIN {attributes} PASSWORD {password}")

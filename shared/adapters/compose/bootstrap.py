"""Second one-shot service of the stack: roles, database and schemas on servers that stand.

Guarantee   the active side has every role of ours, the application's database and the standing
            schema; the control server has the control database and one login per agent, with the
            rights of that agent
Repeats     safe, at each `up`: what is there stays, the standing schema is brought up to date
Fails with  Transient a server does not answer in time; Refused its administrator cannot log in
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from shared.adapters import standing
from shared.adapters.compose.existing import check_suits, reading_refusals
from shared.adapters.compose.inventory import (
    CONTROL_ADMINISTRATOR,
    CONTROL_LOGINS,
    CONTROL_RIGHTS,
    IDENTITIES,
    control_login,
)
from shared.adapters.compose.prepare import ROOT, first_source
from shared.adapters.compose.stack_settings import settings_for
from shared.adapters.compose.vault import Vault, choices_from
from shared.adapters.control.install import install as install_control
from shared.adapters.control.roles import grant
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.roles import SERVER_DATABASE, create_database, create_roles
from shared.adapters.embedded.secrets_store import ADMINISTRATOR, CONTROL_ROLE
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.verifier import verifier
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Transient
from shared.domain.identifiers import ident, literal
from shared.domain.objects import FREEZE
from shared.settings import NodeSettings, Settings

FIRST_SOURCE = "first-source"
"""Green waits for it: now the role exists with which it copies blue."""
LIMIT_S = 60.0
POLL_S = 0.1


def bootstrap(root: Path, environment: dict[str, str]) -> None:
    vault = Vault(root / "vault")
    choices = choices_from(environment, vault)
    settings = settings_for(IDENTITIES[0], choices)
    _control(settings, vault)
    if choices.existing is not None:
        return _beside_an_existing_one(settings, vault)
    _pair(settings, vault)
    write_whole(root / "conf" / Colour.GREEN / FIRST_SOURCE, first_source(settings))


def _pair(settings: Settings, vault: Vault) -> None:
    """On whichever side is no standby: after a migration that may be green. A live job owns both
    sides: it is left alone."""
    node = _until_one_accepts_writes(settings, vault)
    if _a_job_is_live(node, settings, vault):
        print("bootstrap: a job is live; roles and schemas are left as they are", file=sys.stderr)
        return
    with _as_administrator(node, SERVER_DATABASE, vault) as session:
        create_roles(session, vault.secret)
        create_database(session, settings.database)
    _standing(node, settings, vault)


def _standing(
    node: NodeSettings, settings: Settings, vault: Vault, *, fenced: bool = False
) -> None:
    with _as_administrator(node, settings.database, vault) as session:
        if "pg_stat_statements" in session.value("SHOW shared_preload_libraries"):
            # In the migrated database: the statement gate reads the live statements there.
            session.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        standing.install(
            session,
            application_role=settings.application_role,
            administrator=node.administrator,
            exempt_roles=settings.exempt_roles,
        )
        if fenced:
            session.execute("SELECT bluegreen.fence()")


def _beside_an_existing_one(settings: Settings, vault: Vault) -> None:
    """Blue was there before: nothing of it is changed but that our roles, our schema and, where it
    is preloaded, pg_stat_statements are added. Green is the stack's own, empty, and lets nobody
    write."""
    blue, green = settings.nodes[Colour.BLUE], settings.nodes[Colour.GREEN]

    def suits() -> bool:
        with reading_refusals(blue), _as_administrator(blue, settings.database, vault) as session:
            check_suits(session, blue, settings.application_role)
        return True

    _until(suits, f"{blue.host}:{blue.port} to answer")
    if not _a_job_is_live(blue, settings, vault, known_from=settings.database):
        with _as_administrator(blue, settings.database, vault) as session:
            create_roles(session, vault.secret, application=settings.application_role,
                         has_standby=False)  # fmt: skip
        _standing(blue, settings, vault)
    if not _a_job_is_live(green, settings, vault):
        role = settings.application_role
        with _as_administrator(green, SERVER_DATABASE, vault) as session:
            create_roles(session, vault.secret, application=role, has_standby=False)
            is_new = create_database(session, settings.database, role)
        _standing(green, settings, vault, fenced=is_new)


def _until_one_accepts_writes(settings: Settings, vault: Vault) -> NodeSettings:
    found: list[NodeSettings] = []

    def look() -> bool:
        for node in settings.nodes.values():
            with (
                suppress(Transient),  # a side that is being forked is away for a moment
                _as_administrator(node, SERVER_DATABASE, vault) as session,
            ):
                if not session.value("SELECT pg_is_in_recovery()"):
                    found[:] = [node]
                    return True
        return False

    _until(look, "blue or green to accept writes")
    return found[0]


def _a_job_is_live(
    node: NodeSettings, settings: Settings, vault: Vault, *, known_from: str = SERVER_DATABASE
) -> bool:
    """`known_from`: a database that is there for sure."""
    with _as_administrator(node, known_from, vault) as session:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if session.value(known, [settings.database]) is None:
            return False
    frozen = "SELECT 1 FROM pg_event_trigger WHERE evtname = %s"
    with _as_administrator(node, settings.database, vault) as session:
        return session.value(frozen, [FREEZE]) is not None


def _control(settings: Settings, vault: Vault) -> None:
    server = settings.control
    administrator = vault.secret(CONTROL_ADMINISTRATOR)

    def as_administrator(database: str) -> AbstractContextManager[PsycopgSession]:
        return _open(server.host, server.port, database, ADMINISTRATOR, administrator)

    def look() -> bool:
        with as_administrator(SERVER_DATABASE):
            return True

    _until(look, "the control database to answer")
    with as_administrator(SERVER_DATABASE) as session:
        _login(session, CONTROL_ROLE, "", vault)
        for login in CONTROL_LOGINS.values():
            # A rollback point is proven by restoring it here, extensions and owners included.
            _login(session, login, "SUPERUSER" if login == control_login("backup") else "", vault)
        _nobody_inherits_from_the_owner(session)
        if not session.value("SELECT 1 FROM pg_database WHERE datname = %s", [server.database]):
            session.execute(f"CREATE DATABASE {ident(server.database)} OWNER {ident(CONTROL_ROLE)}")
    secret = vault.secret(CONTROL_ROLE)

    def schema_stands() -> bool:
        with _open(server.host, server.port, server.database, CONTROL_ROLE, secret) as owner:
            install_control(owner)
            grant(owner, CONTROL_RIGHTS)
            return True

    # Agents of an `up` before this one may be at work: whoever loses a deadlock tries again.
    _until(schema_stands, "the schema of the control database to be installed")


def _nobody_inherits_from_the_owner(session: PsycopgSession) -> None:
    """Whoever is a member of the tables' owner is held back by no grant and no policy."""
    members = "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = %s::regrole"
    for (member,) in session.rows(members, [CONTROL_ROLE]):
        session.execute(f"REVOKE {ident(CONTROL_ROLE)} FROM {member}")


def _login(session: PsycopgSession, role: str, attributes: str, vault: Vault) -> None:
    if session.value("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]) is None:
        password = literal(verifier(vault.secret(role)))
        session.execute(f"CREATE ROLE {ident(role)} LOGIN {attributes} PASSWORD {password}")


def _as_administrator(
    node: NodeSettings, database: str, vault: Vault
) -> AbstractContextManager[PsycopgSession]:
    return _open(node.host, node.port, database, node.administrator, vault.secret(ADMINISTRATOR))


def _open(
    host: str, port: int, database: str, user: str, password: str
) -> AbstractContextManager[PsycopgSession]:
    return connect(host=host, port=port, database=database, user=user, password=password,
                   application_name="bluegreen/up")  # fmt: skip


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    last = ""
    while True:
        try:
            if holds():
                return
        except Transient as error:
            last = f" ({error.message})"
        if time.monotonic() > deadline:
            raise Transient(f"expected {what} within {LIMIT_S:.0f} s{last}")
        time.sleep(POLL_S)


def main() -> None:
    try:
        bootstrap(ROOT, dict(os.environ))
    except MigrationError as error:
        print(f"bootstrap: {error.message}; {error.remedy}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()

"""Second one-shot service of the stack: roles, database and schemas on servers that stand.

Guarantee   the active side has every role of ours, the application's database and the standing
            schema; the control server has the control database and one login per agent, with the
            rights of that agent; the scratch server has the login that restores there
Repeats     safe, at each `up`: what is there stays, the standing schema is brought up to date
Fails with  Transient a server does not answer in time; Refused its administrator cannot log in
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from shared.adapters.compose.existing import check_suits, reading_refusals
from shared.adapters.compose.existing_server import (
    create_like,
    give_authority,
    make_our_roles,
)
from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.own_servers import make_control, make_scratch
from shared.adapters.compose.prepare import AUTHORITY_PLACE, ROOT
from shared.adapters.compose.reaching import open_session, until
from shared.adapters.compose.server_files import first_source
from shared.adapters.compose.stack_settings import settings_for
from shared.adapters.compose.vault import Vault, choices_from
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.roles import SERVER_DATABASE, create_database, create_roles
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.adapters.postgres import PsycopgSession
from shared.adapters.standing import standing
from shared.adapters.verifier import verifier
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Transient
from shared.domain.identifiers import ident, literal
from shared.domain.objects import FREEZE
from shared.settings import NodeSettings, Settings

FIRST_SOURCE = "first-source"
"""Green waits for it: now the role exists with which it copies blue."""


def bootstrap(root: Path, environment: dict[str, str]) -> None:
    vault = Vault(root / "vault")
    choices = choices_from(environment, vault)
    settings = settings_for(IDENTITIES[0], choices)
    make_control(settings, vault)
    make_scratch(settings, vault)
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
    administrators = {each.administrator for each in settings.nodes.values()}
    with _as_administrator(node, settings.database, vault) as session:
        if "pg_stat_statements" in session.value("SHOW shared_preload_libraries"):
            # In the migrated database: the statement gate reads the live statements there.
            session.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        standing.install(
            session,
            application_role=settings.application_role,
            administrator=node.administrator,
            # The other side's as well: roles are copied by name, the administrators' are not.
            exempt_roles=(*settings.exempt_roles, *sorted(administrators)),
        )
        if fenced:
            session.execute("SELECT bluegreen.fence()")


def _beside_an_existing_one(settings: Settings, vault: Vault) -> None:
    """Blue was there before: nothing of it is changed but that our roles, our schema and, where it
    is preloaded, pg_stat_statements are added; and for risky jobs a file, our authority's
    certificate. Green is the stack's own, empty, and lets nobody write."""
    blue, green = settings.nodes[Colour.BLUE], settings.nodes[Colour.GREEN]

    def suits() -> bool:
        with reading_refusals(blue), _as_administrator(blue, settings.database, vault) as session:
            check_suits(session, blue, settings.application_role)
        return True

    until(suits, f"{blue.host}:{blue.port} to answer")
    _renew_administrator(green, vault)
    if green.is_read_by_other:
        authority = vault.directory / AUTHORITY_PLACE / "ca.crt"
        with _as_administrator(blue, settings.database, vault) as session:
            give_authority(session, vault.stack(), authority.read_text(encoding="utf-8"))
    if not _a_job_is_live(blue, settings, vault, known_from=settings.database):
        with _as_administrator(blue, settings.database, vault) as session:
            make_our_roles(session, vault.secret)
        _standing(blue, settings, vault)
    if not _a_job_is_live(green, settings, vault):
        with (
            _as_administrator(blue, settings.database, vault) as existing,
            _as_administrator(green, SERVER_DATABASE, vault) as session,
        ):
            make_our_roles(session, vault.secret)
            is_new = create_like(
                session, existing, settings.database, settings.application_role, vault.secret,
                strictly=green.is_read_by_other,
            )  # fmt: skip
        _standing(green, settings, vault, fenced=is_new)


def _renew_administrator(node: NodeSettings, vault: Vault) -> None:
    """Our own server learns the password that DB_USER has now at the existing one."""
    before = vault.before(ADMINISTRATOR)
    if before is None:
        return
    try:
        # A login is all that is asked: where the new password is taken already, an `up` before
        # this one was ended between the change and its note.
        with _as_administrator(node, SERVER_DATABASE, vault) as session:
            session.value("SELECT 1")
    except Transient as error:
        if "authentication failed" not in error.message:
            raise
        kept = literal(verifier(vault.secret(ADMINISTRATOR)))
        user = node.administrator
        with open_session(node.host, node.port, SERVER_DATABASE, user, before) as session:
            session.execute(f"ALTER ROLE {ident(user)} PASSWORD {kept}")
    vault.forget_before(ADMINISTRATOR)


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

    until(look, "blue or green to accept writes")
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


def _as_administrator(
    node: NodeSettings, database: str, vault: Vault
) -> AbstractContextManager[PsycopgSession]:
    return open_session(
        node.host, node.port, database, node.administrator, vault.secret(ADMINISTRATOR)
    )


def main() -> None:
    try:
        bootstrap(ROOT, dict(os.environ))
    except MigrationError as error:
        print(f"bootstrap: {error.message}; {error.remedy}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()

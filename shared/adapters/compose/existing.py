"""A PostgreSQL server that was there before the stack, as `.env` names it: the DB_* of the guide.

It is the active side at the first start: blue, known by its address only (driver `remote`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509

from shared.adapters.compose.stack_settings import ExistingDatabase
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.domain.errors import Refused, Transient
from shared.ports import Session
from shared.settings import Address, NodeSettings

EXISTING = "BLUEGREEN_EXISTING_DATABASE"
"""Set by compose/existing-database.yml."""
SUITS = """
SELECT current_setting('cluster_name'),
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       to_regrole(quote_ident(%s)) IS NOT NULL,
       pg_is_in_recovery()
"""
REFUSALS = (
    ("authentication failed", "a login of that server in DB_USER and DB_PASSWORD_FILE"),
    ("no pg_hba.conf entry", "a line `hostssl all all NETWORK scram-sha-256` in its pg_hba.conf"),
    ("does not exist", "a database of that server in DB_NAME"),
    ("does not match host name", "a name of its certificate in DB_HOST"),
    ("certificate verify failed", "the authority of its certificate in the file of DB_CA_FILE"),
    ("does not support SSL", "`ssl = on` there: every leg to it is encrypted"),
)
"""What libpq says at a login -> what was expected."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}")


def existing_database(environment: Mapping[str, str]) -> ExistingDatabase | None:
    """The server that DB_HOST names; None without it. Raises Refused, with the setting's name."""
    host = environment.get("DB_HOST", "")
    if not host:
        return None
    if not environment.get(EXISTING):
        raise Refused(
            f"DB_HOST names {host}, and the stack was started with servers of its own only",
            remedy="COMPOSE_FILE=docker-compose.migrations.yml:compose/existing-database.yml in "
            ".env makes it the active side (docs/compose.md); else leave DB_HOST out",
        )
    green = environment.get("BLUEGREEN_GREEN_HOST", "")
    return ExistingDatabase(
        host=_host(environment, "DB_HOST"),
        port=_port(environment, "DB_PORT", "5432"),
        administrator=plain_name(environment, "DB_USER", ADMINISTRATOR),
        cluster_name=environment.get("DB_CLUSTER_NAME", ""),
        reaches_green_at=Address(
            host=_host(environment, "BLUEGREEN_GREEN_HOST"),
            port=_port(environment, "BLUEGREEN_GREEN_PORT", "5434"),
        )
        if green
        else None,
    )


def _host(environment: Mapping[str, str], setting: str) -> str:
    host = environment.get(setting, "")
    if not _HOST.fullmatch(host):
        raise Refused(f"expected a host in {setting}, found {host!r}", remedy="mend .env")
    return host


def _port(environment: Mapping[str, str], setting: str, default: str) -> int:
    port = environment.get(setting) or default
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise Refused(f"expected a port in {setting}, found {port!r}", remedy=f"such as {default}")
    return int(port)


def given_authority(environment: Mapping[str, str]) -> str:
    """Certificates, PEM, of whoever vouches for the existing server's. Raises Refused without."""
    text = read_given(environment.get("DB_CA_FILE", ""))
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        found = []
    if not found:
        raise Refused(
            "expected certificates, PEM, in the file of DB_CA_FILE, found none",
            remedy="name the authority whose certificate the existing server shows: every leg to "
            "it is encrypted and its name is checked",
        )
    return text + "\n"


def plain_name(environment: Mapping[str, str], setting: str, default: str = "") -> str:
    """Raises Refused where the setting is not one, or not there and has no default."""
    name = environment.get(setting) or default
    if not _NAME.fullmatch(name):
        raise Refused(f"expected a plain name in {setting}, found {name!r}", remedy="mend .env")
    return name


def read_given(file: str) -> str:
    """Empty where Compose mounted nothing."""
    try:
        return Path(file).read_text(encoding="utf-8").strip() if file else ""
    except OSError:
        return ""


@contextmanager
def reading_refusals(node: NodeSettings) -> Iterator[None]:
    """A login that is refused will be refused again: raises Refused, with the setting's name."""
    try:
        yield
    except Transient as error:
        for said, expected in REFUSALS:
            if said in error.message:
                raise Refused(
                    f"expected {expected}; {node.host}:{node.port} says: {error.message}",
                    remedy="mend .env, or that server",
                ) from error
        raise


def check_suits(session: Session, node: NodeSettings, application: str) -> None:
    """Raises Refused, with the setting's name, where the stack cannot work beside that server."""
    row = session.row(SUITS, [application])
    assert row is not None, "a SELECT without FROM has a row"
    cluster_name, is_superuser, knows_application, in_recovery = row
    for holds, expected, found in (
        (cluster_name == node.cluster_name, f"DB_CLUSTER_NAME to be {cluster_name!r}, which is its "
         "cluster_name", repr(node.cluster_name)),
        (is_superuser, "DB_USER to be a superuser there, with which the agents' roles are made",
         f"that {node.administrator} is none"),
        (knows_application, "DB_APP_USER to be the role with which the application logs in",
         f"no role {application}"),
        (not in_recovery, "DB_HOST to be the server that takes writes", "a standby"),
    ):  # fmt: skip
        if not holds:
            raise Refused(f"{node.host}:{node.port}: expected {expected}, found {found}",
                          remedy="mend .env")  # fmt: skip

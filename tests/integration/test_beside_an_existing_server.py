"""What bootstrap does on an existing server and on the stack's own, so that one is copied into the
other: a database made alike, roles with this stack's passwords, our authority there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from shared.adapters.compose.existing_server import create_like, give_authority, make_our_roles
from shared.adapters.postgres import PsycopgSession
from shared.adapters.verifier import fits
from shared.domain.errors import Refused
from shared.domain.objects import AGENT_ROLES
from tests.support.cluster import Server, postgres

LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
FROM pg_database AS d WHERE datname = %s
"""
OF_ITS_OWN = {15: "LOCALE_PROVIDER icu ICU_LOCALE 'de'",
              18: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"}  # fmt: skip
VALIDATOR = AGENT_ROLES["validator"]


@dataclass
class Two:
    existing: Server
    own: Server

    def session(self, server: Server, database: str = "postgres") -> PsycopgSession:
        return PsycopgSession(psycopg.connect(server.dsn(database), autocommit=True))


@pytest.fixture(scope="module", params=[15, 18])
def two(request: pytest.FixtureRequest) -> Iterator[Two]:
    with postgres(request.param) as existing, postgres(request.param) as own:
        yield Two(existing, own)


def secret(role: str) -> str:
    return f"secret of {role}"


@pytest.mark.parametrize("provider", ["of its own", "libc", "as the server"])
def test_the_database_is_made_as_the_existing_one_and_only_once(two: Two, provider: str) -> None:
    options, name = {
        "of its own": OF_ITS_OWN[two.own.version],
        "libc": "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C'",
        "as the server": "",
    }[provider], provider.replace(" ", "_")  # fmt: skip
    with two.session(two.existing).connection as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {options}")
    existing, own = two.session(two.existing, name), two.session(two.own)
    for is_new in (True, False):
        made = create_like(own, existing, name, "shop", secret, strictly=True)
        assert made is is_new
    assert own.row(LOCALE, [name]) == existing.row(LOCALE, [name])
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = %s"
    assert own.value(owner, [name]) == "shop"
    for session in (existing, own):
        session.close()


class WithAnUnknownLocale:
    """The existing server's session, but that its database has a locale which no image knows."""

    def row(self, _sql: str) -> tuple[str, ...]:
        return ("UTF8", "xx_YY.utf8", "xx_YY.utf8", "c", "")


def test_a_locale_that_our_image_does_not_know_is_in_the_way_of_copies_only(two: Two) -> None:
    own, existing = two.session(two.own), WithAnUnknownLocale()
    with pytest.raises(Refused, match="xx_YY") as raised:
        create_like(own, existing, "unknown", "shop", secret, strictly=True)  # type: ignore[arg-type]
    assert "BLUEGREEN_POSTGRES" in raised.value.remedy
    assert create_like(own, existing, "unknown", "shop", secret, strictly=False)  # type: ignore[arg-type]
    own.close()


def test_roles_of_an_earlier_stack_get_the_passwords_of_this_one(two: Two) -> None:
    """And one that has it keeps its salt: poolers know it."""
    kept = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{VALIDATOR}'"
    session = two.session(two.existing)
    make_our_roles(session, lambda _: "of an earlier stack")
    make_our_roles(session, secret)
    first = session.value(kept)
    assert fits(first, secret(VALIDATOR))
    make_our_roles(session, secret)
    assert session.value(kept) == first
    session.close()


def test_the_existing_server_keeps_our_authority_where_its_processes_find_it(two: Two) -> None:
    session = two.session(two.existing)
    for text in ("-----BEGIN CERTIFICATE-----\nabc+/=\n-----END CERTIFICATE-----\n", "another\n"):
        give_authority(session, "4711", text)
        assert (two.existing.data / "bluegreen-4711.crt").read_text() == text
    session.execute("CREATE ROLE plain LOGIN")
    for more in ("", "GRANT pg_read_all_settings TO plain"):
        session.execute(f"RESET ROLE; {more}; SET ROLE plain")
        with pytest.raises(Refused, match="authority") as raised:
            give_authority(session, "4711", "x")
        assert "existing-database-risky.yml" in raised.value.remedy
    session.close()

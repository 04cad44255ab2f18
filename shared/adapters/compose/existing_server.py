"""What is done on a server that was there before, and on ours so that it can stand in for that one.

Guarantee   our database is made as the existing one is: encoding, collation, owner; the existing
            server finds our authority, whose certificate it checks when it reads from ours
Repeats     safe, at each `up`
Fails with  Refused  a locale that our image does not know, a file that may not be written there
"""

from __future__ import annotations

from collections.abc import Callable

from shared.adapters.compose.stack_settings import authority_there
from shared.adapters.embedded.secrets_store import APPLICATION
from shared.adapters.standing.managed import make_roles
from shared.adapters.verifier import verifier
from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.ports import Session

LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
FROM pg_database AS d WHERE datname = current_database()
"""
PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}
"""datlocprovider -> its name, and how CREATE DATABASE calls its locale; else it is the C library's,
which has no locale of its own (PostgreSQL manual, "pg_database", "CREATE DATABASE")."""
KNOWN_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = %s"
KNOWN_DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"


def make_our_roles(session: Session, secret: Callable[[str], str]) -> None:
    """With the passwords of this stack, also where an earlier one left roles behind."""
    make_roles(session, secret, superuser=True)


def create_like(
    session: Session, existing: Session, name: str, owner: str, secret: Callable[[str], str],
    *, strictly: bool,
) -> bool:  # fmt: skip
    """The application's role and database on our server; whether the database is new.

    `strictly`: it will be copied into, so text must sort as on the existing server.
    """
    if session.value(KNOWN_ROLE, [owner]) is None:
        password = literal(verifier(secret(APPLICATION)))
        session.execute(f"CREATE ROLE {ident(owner)} LOGIN PASSWORD {password}")
    if session.value(KNOWN_DATABASE, [name]) is not None:
        return False
    create = f"CREATE DATABASE {ident(name)} OWNER {ident(owner)}"
    like = _options(existing)
    try:
        session.execute(create + like)
    except Refused as error:
        if strictly:
            raise Refused(
                f"expected the stack's own server to know the locale of database {name} ({like}), "
                f"found: {error.message}",
                remedy="name an image of PostgreSQL with that locale in BLUEGREEN_POSTGRES, or "
                "leave compose/existing-database-risky.yml out: there are no risky jobs then",
            ) from error
        session.execute(create)
    return True


def _options(existing: Session) -> str:
    row = existing.row(LOCALE)
    assert row is not None, "the current database is in pg_database"
    encoding, collate, ctype, provider, locale = row
    options = (
        f" TEMPLATE template0 ENCODING {literal(encoding)} LC_COLLATE {literal(collate)}"
        f" LC_CTYPE {literal(ctype)}"
    )
    if provider not in PROVIDERS:
        return f"{options} LOCALE_PROVIDER libc"
    name, word = PROVIDERS[provider]
    return f"{options} LOCALE_PROVIDER {name} {word} {literal(locale)}"


def give_authority(session: Session, stack: str, certificate: str) -> None:
    """A file in that server's data directory: a subscription can name one, and hold none. Raises
    Refused where the server may not write it."""
    name, lines = authority_there(stack), literal(certificate.strip())
    try:
        place = f"{session.value('SHOW data_directory')}/{name}"
        session.execute(
            f"COPY (SELECT unnest(string_to_array({lines}, E'\\n'))) TO {literal(place)}"
        )
    except Refused as error:
        raise Refused(
            f"expected the existing server to keep the stack's authority as {name} in its data "
            f"directory, found: {error.message}",
            remedy="let DB_USER write there (COPY .. TO a file), or leave "
            "compose/existing-database-risky.yml out: there are no risky jobs then",
        ) from error

"""The administrator of one side: from the stack, or from the guide's DB_* variables.

DB_HOST, DB_PORT, DB_USER and DB_PASSWORD speak of the active side. A server that answers there but
is not the one that the stack knows under that colour is refused, and what fails because of one of
them is said to do so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from producer.services import LETS_NOBODY_IN, service
from shared.adapters.postgres import connect
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Refused, Transient
from shared.ports import Session
from shared.settings import Settings

LIMIT_S = 15.0
"""Reading the catalog of ten thousand tables takes seconds."""
HIGHEST_PORT = 65_535
VARIABLES = ("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD")


@dataclass(frozen=True, slots=True)
class Administrator:
    """The administrator of one side; the guide's DB_* variables say it for the active one."""

    colour: Colour
    cluster_name: str
    host: str
    port: int
    database: str
    user: str
    password: str
    named: tuple[str, ...] = ()
    """The variables that said something of it."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Raises Transient when the server does not answer, Refused when it is another one, or
        lets in nobody of whom the variables speak."""
        with (
            service(f"PostgreSQL {self.colour.value}", self.host, self.port),
            ExitStack() as opened,
        ):
            session = self._open(opened)
            found = session.value("SELECT current_setting('cluster_name')")
            if found != self.cluster_name:
                raise Refused(
                    f"expected the active server {self.cluster_name} at {self.host}:{self.port}, "
                    f"found {found or 'a server without a name'}",
                    remedy="mend DB_HOST and DB_PORT, or unset them: the stack knows its servers",
                )
            yield session

    def check(self) -> None:
        """Raises what `session` raises."""
        with self.session():
            pass

    def _open(self, opened: ExitStack) -> Session:
        try:
            return opened.enter_context(
                connect(
                    host=self.host,
                    port=self.port,
                    database=self.database,
                    user=self.user,
                    password=self.password,
                    limit_s=LIMIT_S,
                    application_name="bluegreen/producer",
                )
            )
        except Transient as error:
            raise self._blamed(error) from error

    def _blamed(self, error: Transient) -> MigrationError:
        """With variables set they are what is to be mended: `up` would start nothing there."""
        if not self.named:
            return error
        them = "them" if len(self.named) > 1 else "it"
        mend = f"mend {', '.join(self.named)}, or unset {them}: the stack knows its own servers"
        if not error.code.startswith(LETS_NOBODY_IN):
            return type(error)(error.message, code=error.code, remedy=f"start it there, or {mend}")
        where = f"PostgreSQL {self.colour.value} at {self.host}:{self.port}"
        remedy = f"{error.remedy}; or {mend}" if "pg_hba" in error.message else mend
        return Refused(f"{where} answers, and lets us not in: {error.message}", remedy=remedy)


def administrator(
    settings: Settings, colour: Colour, environment: Mapping[str, str]
) -> Administrator:
    """Raises Refused when DB_PORT is no port, or no password is known."""
    node = settings.nodes[colour]
    user = environment.get("DB_USER") or node.administrator
    return Administrator(
        colour=colour,
        cluster_name=node.cluster_name,
        host=environment.get("DB_HOST") or node.host,
        port=_port(environment.get("DB_PORT") or str(node.port)),
        database=settings.database,
        user=user,
        password=environment.get("DB_PASSWORD") or _secret(settings, user, environment),
        named=tuple(name for name in VARIABLES if environment.get(name)),
    )


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= HIGHEST_PORT:
        return int(text)
    raise Refused(f"expected a port in DB_PORT, found {text!r}", remedy="such as 5432")


def _secret(settings: Settings, user: str, environment: Mapping[str, str]) -> str:
    try:
        return settings.secret(user)
    except Refused as error:
        if not environment.get("DB_USER"):
            raise
        raise Refused(
            f"expected DB_PASSWORD beside DB_USER={user}, found neither it nor a secret of that "
            "role",
            remedy="set DB_PASSWORD, or unset DB_USER: the stack knows its administrator",
        ) from error

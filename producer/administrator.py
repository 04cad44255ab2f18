"""The administrator of one side: from the stack, or from the guide's DB_* variables.

DB_HOST, DB_PORT, DB_USER and DB_PASSWORD speak of the active side. A server that answers there but
is not the one that the stack knows under that colour is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from producer.services import service
from shared.adapters.postgres import connect
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.ports import Session
from shared.settings import Settings

LIMIT_S = 15.0
"""Reading the catalog of ten thousand tables takes seconds."""


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

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Raises Transient when the server does not answer, Refused when it is another one."""
        with (
            service(f"PostgreSQL {self.colour.value}", self.host, self.port),
            connect(
                host=self.host,
                port=self.port,
                database=self.database,
                user=self.user,
                password=self.password,
                limit_s=LIMIT_S,
                application_name="bluegreen/producer",
            ) as session,
        ):
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


def administrator(
    settings: Settings, colour: Colour, environment: Mapping[str, str]
) -> Administrator:
    """Raises Refused when DB_PORT is no port, or no password is known."""
    node = settings.nodes[colour]
    port = environment.get("DB_PORT") or str(node.port)
    if not port.isdecimal():
        raise Refused(f"expected a port in DB_PORT, found {port!r}", remedy="such as 5432")
    user = environment.get("DB_USER") or node.administrator
    return Administrator(
        colour=colour,
        cluster_name=node.cluster_name,
        host=environment.get("DB_HOST") or node.host,
        port=int(port),
        database=settings.database,
        user=user,
        password=environment.get("DB_PASSWORD") or settings.secret(user),
    )

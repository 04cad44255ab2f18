"""The pooler's admin console: a connection to it, and one command with its answer.

Fails with  Transient  it does not answer, or answers with an error
Source      PgBouncer manual, "Admin console"
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import pq

from shared.adapters.postgres import translate
from shared.adapters.refused_logins import refused_login
from shared.domain.errors import Transient
from shared.settings import PoolerSettings, Settings

CONNECT_LIMIT_S = 2


def answer(connection: psycopg.Connection, text: str, limit_s: float) -> list[dict[str, str]]:
    """The rows that a command of the admin console answers with, all values as text.

    Raises TimeoutError when there is no answer within the limit, Transient for one that is an
    error, and for a connection that is lost.
    """
    wire = connection.pgconn
    deadline = time.monotonic() + limit_s
    try:
        wire.send_query(text.encode())
        while wire.is_busy():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([wire.socket], [], [], left)[0]:
                raise TimeoutError
            wire.consume_input()
        found = wire.get_result()
        while wire.get_result() is not None:
            pass
    except psycopg.Error as error:
        raise Transient(f"{text}: {translate(error).message}") from error
    if found is None or found.status == pq.ExecStatus.FATAL_ERROR:
        said = "no answer" if found is None else found.error_message.decode(errors="replace")
        raise Transient(f"{text}: expected the pooler to do it, found: {said.strip()}")
    names = [(found.fname(column) or b"").decode() for column in range(found.nfields)]
    return [
        {name: (found.get_value(row, column) or b"").decode() for column, name in enumerate(names)}
        for row in range(found.ntuples)
    ]


@contextmanager
def console(
    settings: Settings, address: PoolerSettings | None = None
) -> Iterator[psycopg.Connection]:
    """One connection to the admin console, closed at the end."""
    pooler = address or settings.pooler
    try:
        connection = psycopg.connect(
            host=pooler.host,
            port=pooler.port,
            dbname="pgbouncer",
            user=pooler.admin_user,
            password=settings.secret(pooler.admin_user),
            connect_timeout=CONNECT_LIMIT_S,
            autocommit=True,
            prepare_threshold=None,  # the console knows no prepared statements
        )
    except psycopg.Error as error:
        ours = refused_login(translate(error).message, str(error))
        said = f"the pooler's admin console: {ours.message}"
        raise type(ours)(said, code=ours.code, remedy=ours.remedy) from error
    try:
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.close()

"""psycopg behind the Session and Node ports; a server's error becomes one of ours by its SQLSTATE.

Source: PostgreSQL manual, Appendix A, "PostgreSQL Error Codes".
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import conninfo, generators, pq
from psycopg.rows import dict_row

from shared.adapters.refused_logins import refused_login
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused, Transient
from shared.domain.objects import REPLICATION_ROLES
from shared.ports import NodeDriver, Row
from shared.settings import NodeSettings, Settings

NO_HIDDEN_ROWS = "-crow_security=off"
"""A copy that row security would leave incomplete fails instead."""
Params = Sequence[Any] | Mapping[str, Any] | None
_TRANSIENT = (
    "08", "25P03", "40", "53", "57P01", "57P02", "57P03", "57014", "55P03", "55006", "BG001",
)  # fmt: skip
"""Connection, a transaction left idle, deadlock and serialisation, resources, shutdown, cancelled,
lock, object in use, and our own: an attempt at a cutover that is no longer the one that may act
(standing_attempt.sql)."""
DISK_FULL, MORE_DISK = "53100", "free disk space where that server's data lies"
_REFUSED = ("0A", "21", "22", "23", "28", "2B", "3D", "3F", "42", "54", "P0")
"""The statement, the data it meets, or the right to run it is wrong: trying again is useless."""


def translate(error: psycopg.Error) -> MigrationError:
    """The error of our tree for one of psycopg's; the server's own words stay in it."""
    ours = _of_our_tree(error)
    position = error.diag.statement_position
    ours.position = int(position) if position else None
    return ours


def _of_our_tree(error: psycopg.Error) -> MigrationError:
    state = error.sqlstate or ""
    text = str(error).strip().splitlines()
    message = text[0] if text else type(error).__name__
    detail = error.diag.message_detail
    if detail and detail not in message:
        message = f"{message} ({detail})"
    if not state and isinstance(error, psycopg.OperationalError):
        return Transient(message, code="08000")
    if state.startswith(_TRANSIENT):
        remedy = MORE_DISK if state == DISK_FULL else error.diag.message_hint or ""
        return Transient(message, code=state, remedy=remedy)
    if state.startswith(_REFUSED):
        return Refused(message, code=state, remedy=error.diag.message_hint or "")
    return Broken(message, code=state)


class PsycopgSession:
    """A connection in autocommit; `transaction()` opens a block."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection

    def execute(self, sql: str, params: Params = None) -> int:
        return self._run(sql, params).rowcount

    def rows(self, sql: str, params: Params = None) -> list[Row]:
        cursor = self._run(sql, params)
        with _translated():
            return cursor.fetchall()

    def dicts(self, sql: str, params: Params = None) -> list[dict[str, Any]]:
        """The rows as dictionaries by column name."""
        with _translated(), self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = None) -> Row | None:
        found = self.rows(sql, params)
        return found[0] if found else None

    def value(self, sql: str, params: Params = None) -> Any:
        found = self.row(sql, params)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with _translated(), self.connection.transaction():
            yield

    def script(self, sql: str) -> None:
        wire = self.connection.pgconn
        wire.send_query(sql.encode(self.connection.info.encoding))
        with _translated():
            results = self.connection.wait(generators.execute(wire))
        for completed, result in enumerate(results):
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(result, self.connection.info.encoding)
                ours = translate(error)
                ours.completed = completed
                raise ours from error

    def drain(self, sql: str) -> None:
        """COPY .. TO STDOUT: the rows are read and thrown away."""
        with _translated(), self.connection.cursor() as cursor, cursor.copy(sql) as rows:
            for _ in rows:
                pass

    def close(self) -> None:
        self.connection.close()

    def cut(self) -> None:
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.connection.fileno())) as wire,
        ):
            wire.shutdown(socket.SHUT_RDWR)

    def _run(self, sql: str, params: Params) -> psycopg.Cursor[Row]:
        with _translated():
            return self.connection.execute(sql, params)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error


@contextmanager
def connect(
    *,
    host: str,
    port: int,
    database: str,
    user: str,
    password: str,
    limit_s: float = 30.0,
    lock_limit_s: float | None = None,
    connect_limit_s: float = 3.0,
    application_name: str = "bluegreen",
) -> Iterator[PsycopgSession]:
    """Open one session and close it at the end.

    Raises Away when the server is not there, or not yet; Transient when it lets nobody in.
    """
    options = [f"-c statement_timeout={int(limit_s * 1000)}"]
    if lock_limit_s is not None:
        options.append(f"-c lock_timeout={int(lock_limit_s * 1000)}")
    try:
        connection: psycopg.Connection[Row] = psycopg.connect(
            host=host,
            port=port,
            dbname=database,
            user=user,
            password=password,
            options=" ".join(options),
            connect_timeout=max(1, round(connect_limit_s)),
            application_name=application_name,
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise refused_login(translate(error).message, str(error)) from error
    try:
        yield PsycopgSession(connection)
    finally:
        connection.close()


def check_identity(session: PsycopgSession, node: NodeSettings) -> None:
    """Raise Broken when another server answers than the one known under this colour."""
    found = session.value("SELECT current_setting('cluster_name')")
    if found != node.cluster_name:
        raise Broken(
            f"expected server {node.cluster_name!r} at {node.host}:{node.port}, found {found!r}; "
            "nothing was done there"
        )


class PostgresNode:
    """One server of the pair, seen with the role of one agent."""

    def __init__(self, settings: Settings, colour: Colour, role: str, driver: NodeDriver) -> None:
        self.colour = colour
        self.driver = driver
        self._settings = settings
        self._node: NodeSettings = settings.nodes[colour]
        self._role = role

    @contextmanager
    def session(
        self,
        *,
        database: str | None = None,
        limit_s: float = 30.0,
        lock_limit_s: float | None = None,
        connect_limit_s: float = 3.0,
        application_name: str = "",
    ) -> Iterator[PsycopgSession]:
        with connect(
            host=self._node.host,
            port=self._node.port,
            database=database or self._settings.database,
            user=self._role,
            password=self._settings.secret(self._role),
            limit_s=limit_s,
            lock_limit_s=lock_limit_s,
            connect_limit_s=connect_limit_s,
            application_name=application_name or f"bluegreen/{self._role}",
        ) as session:
            check_identity(session, self._node)
            yield session

    def replication_conninfo(self, *, database: str | None) -> str:
        role = REPLICATION_ROLES[self.colour]
        found = self._node.for_other or self._node
        parts: dict[str, str] = {"host": found.host, "port": str(found.port), "user": role}
        if self._node.driver == "remote":  # no file of ours is on that server's host
            parts |= {"password": self._settings.secret(role), "options": NO_HIDDEN_ROWS}
        else:
            parts["passfile"] = str(self._settings.secrets_dir / "passfile" / role)
        if self._node.ca_file is not None:
            parts |= {"sslmode": "verify-full", "sslrootcert": str(self._node.ca_file)}
        if database is not None:
            parts["dbname"] = database
        return conninfo.make_conninfo(**parts)

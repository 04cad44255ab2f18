"""Sessions with the control database, one per thread, opened again after a loss."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shared.adapters.postgres import PsycopgSession, connect
from shared.domain.errors import Transient
from shared.domain.objects import CONTROL_ROLES
from shared.settings import Settings

LIMIT_S = 10.0
PROVEN_S = 0.5
"""A session that answered so long ago is not asked whether it still does: a look of the monitor
borrows it ten times in a row, and a server can die behind the question as well as before it."""


class _Owner:
    """Lives in a thread's locals, and so ends with the thread."""


class ControlDatabase:
    """Where the truth stands. A session belongs to the thread that asked for it, and is closed
    when that thread ends."""

    def __init__(self, settings: Settings, *, application_name: str, agent: str = "") -> None:
        """`agent` is a key of CONTROL_ROLES; without it the session is the owner's."""
        self._settings = settings
        own = settings.control.own_roles and agent
        self._user = CONTROL_ROLES[agent] if own else settings.control.user
        self._application_name = application_name
        self._local = threading.local()

    @contextmanager
    def session(self) -> Iterator[PsycopgSession]:
        """The thread's session. An error closes it, so that no lock and no half of a transaction
        outlives the deed. Raises Transient when the database cannot be reached."""
        session = self._open()
        try:
            yield session
        except BaseException:
            self.close()
            raise
        self._local.proven_at = time.monotonic()

    def close(self) -> None:
        """Close the thread's session, if it has one."""
        close: weakref.finalize[..., _Owner] | None = getattr(self._local, "close", None)
        self._local.close = self._local.session = self._local.owner = None
        if close is not None:
            close()

    def _open(self) -> PsycopgSession:
        session: PsycopgSession | None = getattr(self._local, "session", None)
        if session is not None and not session.connection.closed and self._is_alive(session):
            return session
        self.close()
        control = self._settings.control
        stack = ExitStack()
        session = stack.enter_context(
            connect(
                host=control.host,
                port=control.port,
                database=control.database,
                user=self._user,
                password=self._settings.secret(self._user),
                limit_s=LIMIT_S,
                application_name=self._application_name,
            )
        )
        # A frozen process must not hold a job for ever; a dead host is found in half a minute.
        session.execute("SET idle_in_transaction_session_timeout = '10s'")
        session.execute("SET tcp_keepalives_idle = 10")
        session.execute("SET tcp_keepalives_interval = 5")
        session.execute("SET tcp_keepalives_count = 4")
        self._local.session, self._local.proven_at = session, time.monotonic()
        self._local.owner = owner = _Owner()
        self._local.close = weakref.finalize(owner, stack.close)
        return session

    def _is_alive(self, session: PsycopgSession) -> bool:
        return time.monotonic() - self._local.proven_at < PROVEN_S or _answers(session)


@contextmanager
def unflushed(session: PsycopgSession) -> Iterator[None]:
    """A transaction that is not waited for on disk: for what may be lost in a crash of the server,
    because it is found out and done again."""
    with session.transaction():
        session.execute("SET LOCAL synchronous_commit = off")
        yield


def _answers(session: PsycopgSession) -> bool:
    try:
        session.execute("SELECT")
    except Transient:
        return False
    return True

"""A session that is kept from look to look: a login costs more than all the questions of a look.

It is renewed once a minute, so that a login is proven all the same, and cut from outside when the
server does not answer at all: a frozen process keeps its sockets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from shared.domain.errors import Transient
from shared.ports import Session

Answer = TypeVar("Answer")
RENEWED_AFTER_S = 60.0


class KeptSession:
    """For one thread at a time."""

    def __init__(
        self, opens: Callable[[], AbstractContextManager[Session]], limit_s: float
    ) -> None:
        self._opens = opens
        self._limit_s = limit_s
        self._stack = ExitStack()
        self._session: Session | None = None
        self._opened_at = 0.0

    def ask(self, question: Callable[[Session], Answer]) -> Answer:
        """Its answer. A session that was lost since the last look is replaced once.

        Raises Transient when there is no answer within the limit.
        """
        if time.monotonic() - self._opened_at > RENEWED_AFTER_S:
            self.close()
        was_kept = self._session is not None
        try:
            return self._ask_once(question)
        except Transient:
            self.close()
            if not was_kept:
                raise
        try:
            return self._ask_once(question)
        except Transient:
            self.close()
            raise

    def close(self) -> None:
        self._session = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()

    def _ask_once(self, question: Callable[[Session], Answer]) -> Answer:
        session = self._session
        if session is None:
            session = self._session = self._stack.enter_context(self._opens())
            self._opened_at = time.monotonic()
        timer = threading.Timer(self._limit_s, session.cut)
        timer.daemon = True
        timer.start()
        try:
            return question(session)
        finally:
            timer.cancel()

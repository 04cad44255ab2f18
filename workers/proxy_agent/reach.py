"""A side that may not answer: every question has a limit, and None says there was no answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import Node
from workers.proxy_agent.side import ServerSide, opened

Answer = TypeVar("Answer")
ASK_LIMIT_S = 0.15
"""A live server answers in a millisecond; in a pause clients wait while we do."""
OPEN_LIMIT_S = 0.5
"""A login takes some ten milliseconds, more with TLS."""
SILENCE_S = 1.0
LOST_ATTEMPT = "BG001"


class Reach:
    """Opens its session when first asked, keeps it, and opens another after a failure.

    A side that let a limit pass is not asked again for a while: a network that drops everything
    would else cost the limit at each question, and clients wait meanwhile.
    """

    def __init__(self, node: Node, *, limit_s: float = ASK_LIMIT_S) -> None:
        self.colour: Colour = node.colour
        self._node = node
        self._limit_s = limit_s
        self._stack = ExitStack()
        self._side: ServerSide | None = None
        self._silent_until = 0.0

    def ask(self, question: Callable[[ServerSide], Answer]) -> Answer | None:
        """Its answer, or None where there was none in time. A lost session is replaced once.

        Raises Transient with code BG001 when the server did answer: that it is too late.
        """
        for _ in range(2):
            had_session = self._side is not None
            if not had_session and time.monotonic() < self._silent_until:
                return None
            try:
                return self._ask_once(question)
            except Transient as error:
                if error.code == LOST_ATTEMPT:
                    raise
                self.close()
                if not had_session:
                    break
        return None

    def _ask_once(self, question: Callable[[ServerSide], Answer]) -> Answer:
        side = self._side or self._open()

        def cut() -> None:
            self._silent_until = time.monotonic() + SILENCE_S
            side.session.cut()

        timer = threading.Timer(self._limit_s, cut)
        timer.daemon = True
        timer.start()
        try:
            return question(side)
        finally:
            timer.cancel()

    def _open(self) -> ServerSide:
        """In a thread: no library bounds a login by less than seconds. One that comes too late
        closes itself. Raises Transient."""
        opening = _Opening(self._node, 10 * self._limit_s)
        side = opening.within(max(OPEN_LIMIT_S, self._limit_s))
        if side is None:
            self._silent_until = time.monotonic() + SILENCE_S
            raise Transient(f"expected {self.colour} to let us in in time, found it silent")
        self._stack.callback(opening.close)
        self._side = side
        return side

    def close(self) -> None:
        self._side = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()


class _Opening:
    """One login, under way in a thread of its own."""

    def __init__(self, node: Node, limit_s: float) -> None:
        self._stack = ExitStack()
        self._side: ServerSide | None = None
        self._error: Exception | None = None
        self._is_late = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, args=(node, limit_s), daemon=True)
        self._thread.start()

    def within(self, limit_s: float) -> ServerSide | None:
        """The open side; None when time is up. Raises what the login failed with."""
        self._thread.join(limit_s)
        with self._lock:
            if self._error is not None:
                raise self._error
            self._is_late = self._side is None
            return self._side

    def close(self) -> None:
        self._stack.close()

    def _run(self, node: Node, limit_s: float) -> None:
        try:
            side = self._stack.enter_context(opened(node, limit_s=limit_s))
        except Exception as error:  # told to whoever waits for it
            with self._lock:
                self._error = error
            return
        with self._lock:
            self._side = side
            if self._is_late:
                self.close()


@contextmanager
def reaching(node: Node, *, limit_s: float = ASK_LIMIT_S) -> Iterator[Reach]:
    reach = Reach(node, limit_s=limit_s)
    try:
        yield reach
    finally:
        reach.close()

"""A side that may not answer: every question has a limit, and None says there was no answer."""

from __future__ import annotations

import threading
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
LOST_ATTEMPT = "BG001"


class Reach:
    """Opens its session when first asked, keeps it, and opens another after a failure."""

    def __init__(self, node: Node, *, limit_s: float = ASK_LIMIT_S) -> None:
        self.colour: Colour = node.colour
        self._node = node
        self._limit_s = limit_s
        self._stack = ExitStack()
        self._side: ServerSide | None = None

    def ask(self, question: Callable[[ServerSide], Answer]) -> Answer | None:
        """Its answer, or None where there was none in time. A lost session is replaced once.

        Raises Transient with code BG001 when the server did answer: that it is too late.
        """
        for _ in range(2):
            had_session = self._side is not None
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
        timer = threading.Timer(self._limit_s, side.session.cut)
        timer.daemon = True
        timer.start()
        try:
            return question(side)
        finally:
            timer.cancel()

    def _open(self) -> ServerSide:
        self._side = self._stack.enter_context(opened(self._node, limit_s=10 * self._limit_s))
        return self._side

    def close(self) -> None:
        self._side = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()


@contextmanager
def reaching(node: Node, *, limit_s: float = ASK_LIMIT_S) -> Iterator[Reach]:
    reach = Reach(node, limit_s=limit_s)
    try:
        yield reach
    finally:
        reach.close()

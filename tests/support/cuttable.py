"""A network that can be cut: a relay before a server's port, which then carries nothing."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOK_S = 0.01
PIECE = 65536


class Wire:
    """Cut, it keeps all connections and carries no byte, as a network does that drops packets."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._is_cut = threading.Event()
        self._ended = threading.Event()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def cut(self) -> None:
        self._is_cut.set()

    def mend(self) -> None:
        self._is_cut.clear()

    def start(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(5)
        for end in (*self._pairs, self._listener):
            end.close()

    def _carry(self) -> None:
        while not self._ended.is_set():
            if self._is_cut.is_set():
                self._ended.wait(LOOK_S)
                continue
            for key, _ in self._selector.select(LOOK_S):
                if self._is_cut.is_set():
                    break
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._pass_on(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target_port), 5)
        except OSError:
            near.close()
            return
        for end, other in ((near, far), (far, near)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket) -> None:
        other = self._pairs.get(end)
        if other is None:
            return
        try:
            piece = end.recv(PIECE)
            if piece:
                other.sendall(piece)
                return
        except OSError:
            pass
        for each in (end, other):
            self._pairs.pop(each, None)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    wire.start()
    try:
        yield wire
    finally:
        wire.end()

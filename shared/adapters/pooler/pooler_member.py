"""One pooler of several: its route file, and its console while it answers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from shared.adapters.pooler.pgbouncer import OpenPgBouncer, PgBouncer
from shared.adapters.pooler.route_file import RouteFile
from shared.domain.errors import MigrationError, Transient
from shared.settings import PoolerSettings, Settings

Found = TypeVar("Found")
LISTEN_LIMIT_S = 0.3


@dataclass
class Member:
    settings: Settings
    address: PoolerSettings
    stack: ExitStack
    console: OpenPgBouncer | None = None
    is_astray: bool = False
    """It runs, and could not be led where its file says: it must not be resumed."""

    @property
    def name(self) -> str:
        return f"pooler {self.address.host}:{self.address.port}"

    @property
    def file(self) -> RouteFile:
        return RouteFile(self.settings, self.address.route_file)

    def reach(self) -> bool:
        """Whether it answers, over a new connection where the old one broke."""
        try:
            if self.console is not None:
                self.console.is_paused()
                return True
        except Transient:
            self.console = None
        try:
            pooler = PgBouncer(self.settings, self.address)
            self.console = self.stack.enter_context(pooler.opened())
        except Transient:
            return False
        return True

    def is_down(self) -> bool:
        """Nobody listens there. One that is frozen, or behind a broken network, is not down."""
        address = (self.address.host, self.address.port)
        try:
            socket.create_connection(address, LISTEN_LIMIT_S).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def ask(self, question: Callable[[OpenPgBouncer], Found]) -> Found:
        """Raises Transient, with its name, where it does not answer."""
        if self.console is None and not self.reach():
            raise Transient(f"{self.name} does not answer")
        assert self.console is not None
        try:
            return question(self.console)
        except MigrationError as error:
            raise type(error)(f"{self.name}: {error.message}", code=error.code) from error

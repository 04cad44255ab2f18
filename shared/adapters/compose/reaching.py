"""Sessions of the one-shot service `bootstrap`, and its waits for servers that just started."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from shared.adapters.postgres import PsycopgSession, connect
from shared.domain.errors import Transient

LIMIT_S = 60.0
"""For a server of the stack that starts from nothing: many times what that takes."""
POLL_S = 0.1
"""Each look is a login: a server that has just started is not crowded out by them."""


def open_session(
    host: str, port: int, database: str, user: str, password: str
) -> AbstractContextManager[PsycopgSession]:
    return connect(host=host, port=port, database=database, user=user, password=password,
                   application_name="bluegreen/up")  # fmt: skip


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    last = ""
    while True:
        try:
            if holds():
                return
        except Transient as error:
            last = f" ({error.message})"
        if time.monotonic() > deadline:
            raise Transient(f"expected {what} within {LIMIT_S:.0f} s{last}")
        time.sleep(POLL_S)

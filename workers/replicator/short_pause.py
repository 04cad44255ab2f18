"""A pause of the pool for one short transaction, after which every server session is a new one.

What changes the columns of a table in use breaks plans that open sessions keep ("cached plan must
not change result type"). PAUSE lets the pool's server connections go, so after RESUME none has an
old plan; prepared statements of clients are prepared anew by the pooler.

PAUSE has no owner: a worker that dies inside would hold the clients for ever. A guard, a process of
its own that stands ready before, resumes when its time is over or when we are gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from shared.narrowing import CALM_S, narrowed, needed
from shared.ports import Companion, Pooler

PAUSE_GUARD = "workers.replicator.pause_guard"
READY_LIMIT_S = 15.0
"""The guard is a Python process: what takes long is its start, and nobody is held meanwhile."""
AFTER_LIMIT_S = 0.25
"""So much later than agreed the guard resumes by itself."""
FEW = 4
"""Connections that a pause ends and that are opened again behind it in no time worth a second."""


@dataclass(frozen=True)
class ShortPause:
    pooler: Pooler
    start_guard: Callable[[], AbstractContextManager[Companion]]

    @contextmanager
    def ready(self) -> Iterator[HeldPool]:
        """Everything that takes time, before anybody is held."""
        with self.start_guard() as guard:
            guard.say({"reach": True})
            with self.pooler.opened() as pooler:
                guard.hear(limit_s=READY_LIMIT_S)
                yield HeldPool(pooler, guard)


@dataclass(frozen=True)
class HeldPool:
    _pooler: Pooler
    _guard: Companion

    @contextmanager
    def narrow(self) -> Iterator[None]:
        """Around `held`: the pool has few connections to end and to open again. That takes a second
        and is left out where it has few anyway. Whatever comes of it, the guard widens the pool at
        its own end too."""
        if self._pooler.connections() <= FEW:
            yield
            return
        self._guard.say({"is_narrow": True})
        with narrowed(self._pooler, needed(self._pooler)):
            time.sleep(CALM_S)
            yield

    @contextmanager
    def held(self, *, wait_s: float, work_s: float) -> Iterator[None]:
        """Hold the pool around the block, which has `work_s`.

        Raises Transient when open transactions did not end within `wait_s`; nobody is held then.
        """
        self._guard.say({"resume_after_s": wait_s + work_s + AFTER_LIMIT_S})
        try:
            self._pooler.pause(limit_s=wait_s)
            yield
        finally:
            self._pooler.resume()
            self._guard.say({"resume_after_s": None})

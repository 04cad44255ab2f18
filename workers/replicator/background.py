"""Work that takes longer than a look: it goes on in a thread of this worker.

When the worker dies the thread dies with it, and the server goes on with the message that it has
(Session.script). So what is true is asked of the server; this only carries an error to the next
look, and waits a moment so that short work needs no second one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Work = Callable[[], None]


@dataclass
class _Task:
    thread: threading.Thread
    error: BaseException | None = None


@dataclass(frozen=True)
class Background:
    """One per worker process. Keys name the job and the step."""

    _tasks: dict[str, _Task] = field(default_factory=dict)

    def knows(self, key: str) -> bool:
        """Whether work of that key was begun here and nobody has seen its end yet."""
        return key in self._tasks

    def start(self, key: str, work: Work) -> None:
        """Begin it, unless work of that key goes on, or ended and nobody has waited for it."""
        if key in self._tasks:
            return

        def run() -> None:
            try:
                work()
            except Exception as error:  # whoever looks next answers for it, whatever it is
                task.error = error

        task = _Task(threading.Thread(target=run, name=key, daemon=True))
        self._tasks[key] = task
        task.thread.start()

    def wait(self, key: str, limit_s: float) -> bool:
        """Whether the work has ended within the limit. Raises the error it ended with, once."""
        task = self._tasks.get(key)
        if task is None:
            return True
        task.thread.join(limit_s)
        if task.thread.is_alive():
            return False
        del self._tasks[key]
        if task.error is not None:
            raise task.error
        return True

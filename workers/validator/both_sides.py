"""Two servers that are read at the same time, and the barrier between what was read on them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from shared.domain.errors import Broken, Transient
from shared.mapping.comparison import settings_for
from shared.mapping.model import Table
from shared.ports import Session
from workers.validator.pace import Pace

BARRIER_LIMIT_S = 3.0
BARRIER_LOOK_S = 0.005
MARK = "SELECT bluegreen_job.mark(%s)"
ARRIVED = "SELECT EXISTS (SELECT FROM bluegreen_job.marker WHERE token = %s)"
SUBSCRIPTION = "SELECT subenabled FROM pg_subscription WHERE subname = %s"
IN_KEY_ORDER = "SET enable_sort = off; SET jit = off"
"""A piece is read along the index of its key, and never the whole table sorted for it."""
PACE_EVERY_S = 0.25
T = TypeVar("T")


class Behind(Transient):
    """The target has not applied what the source had: look again later."""


@dataclass
class BothSides:
    source: Session
    target: Session
    subscription: str
    pace: Pace = field(default_factory=Pace)
    paced_at: float = 0.0
    """When a commit was last measured (monotonic)."""

    def settle(self, table: Table) -> None:
        """Bring both sessions under the settings in which that table's values are read alike."""
        for session in (self.source, self.target):
            session.execute("; ".join([*settings_for(table), IN_KEY_ORDER]))

    def mark(self) -> str:
        """What the source has committed until now stands before this token in the stream."""
        token = f"compare {uuid.uuid4()}"
        began = time.monotonic()
        self.source.value(MARK, [token])
        self.paced_at = time.monotonic()
        self.pace.note((self.paced_at - began) * 1000)
        return token

    def look_at_pace(self) -> None:
        """See how long a commit takes on the source, now and then."""
        if time.monotonic() > self.paced_at + PACE_EVERY_S:
            self.mark()

    def arrive(self, token: str) -> None:
        """Wait until the target has applied all that stands before the token.

        Raises Behind while it is too far behind, Broken where it has stopped.
        """
        end = time.monotonic() + BARRIER_LIMIT_S
        while not self.target.value(ARRIVED, [token]):
            if self.target.value(SUBSCRIPTION, [self.subscription]) is False:
                raise Broken(
                    f"expected subscription {self.subscription} to apply, found it disabled by an"
                    " error: the target's log says which row it could not take"
                )
            if time.monotonic() > end:
                raise Behind("the target has not yet applied what the source had")
            time.sleep(BARRIER_LOOK_S)

    def barrier(self) -> None:
        """All that was committed on the source until now is applied on the target."""
        self.arrive(self.mark())


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Do the work in a thread of its own while the body runs; it has ended when the body has.

    It must have a limit of its own: here, the statement limit of the session that it reads with.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread.submit(work)

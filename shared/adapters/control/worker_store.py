"""The control database as a worker sees it: is just this due, what is the job, here is my answer.

A message is a claim, not an authority. It acts only while the outbox says that just this command
is out and due, and only under the job's lock, so `do` and `undo` of one job never overlap.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from psycopg.types.json import Jsonb

from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase, unflushed
from shared.adapters.control.queries import QUERIES
from shared.adapters.control.rows import options_of
from shared.adapters.control.store import facts_of
from shared.adapters.postgres import PsycopgSession
from shared.domain.approval import counting
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Done, Pending
from shared.saga.events import Direction, Family

LOCK_CLASS = 0x62676A
"""First key of the advisory lock of a job; the second is the hash of its id."""
LOCK_LIMIT_S = 2.0
"""How long a command waits for another look at the same job to end."""


_NAME = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message says is to be done."""

    job: str
    step: str
    direction: Direction
    attempt: int
    epoch: int

    @classmethod
    def read(cls, args: tuple[object, ...], said: Mapping[str, object]) -> Claim | None:
        """The claim in a message's arguments; None when it is not one."""
        match args, dict(said):
            case (), {
                "job": str(job),
                "step": str(step),
                "direction": "forward" | "backward" as direction,
                "attempt": int(attempt),
                "epoch": int(epoch),
                **rest,
            } if not rest and _NAME.fullmatch(job) and max(attempt, epoch) < 2**31:
                return cls(job, step, Direction(direction), attempt, epoch)
        return None


@dataclass(frozen=True, slots=True)
class Failed:
    """The step raised; `family` says what the saga must do about it."""

    family: Family
    sentence: str
    remedy: str = ""


Result = Done | Pending | Failed


class WorkerStore:
    """What one agent asks of the control database."""

    def __init__(self, database: ControlDatabase, owner: str) -> None:
        self._database = database
        self._owner = owner
        self._here: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        """Holds also while the control database, and with it the job's lock, is away."""

    @contextmanager
    def taken(self, claim: Claim) -> Iterator[Job | None]:
        """The job, locked while the context lasts; None, with an audit entry, when this is not
        due. Raises Transient when the control database cannot be reached."""
        here = self._here[claim.job]
        if not here.acquire(timeout=LOCK_LIMIT_S):
            self._refuse(claim, "another look at this job is under way here")
            yield None
            return
        try:
            with self._database.session() as session:
                if not _locked(session, claim.job):
                    self._refuse(claim, "another look at this job is under way elsewhere")
                    yield None
                    return
                job = self._begin(session, claim)
                if job is None:
                    self._refuse(claim, "not due: unknown, stale or repeated")
                yield job
                _unlock(session, claim.job)
        finally:
            here.release()

    def answer(self, claim: Claim, result: Result) -> bool:
        """Keep the answer, and the facts with it; False when nobody waits for it any more."""
        with self._database.session() as session, session.transaction():
            if session.row(QUERIES["end_command"], asdict(claim)) is None:
                audit.append(session, self._owner, "answer too late", asdict(claim))
                return False
            session.execute(QUERIES["insert_answer"], asdict(claim) | _answer_columns(result))
            if isinstance(result, Done) and result.facts:
                session.execute(
                    QUERIES["save_fact"], (claim.job, claim.step, Jsonb(dict(result.facts)))
                )
        return True

    def refuse_message(self, reason: str, detail: Mapping[str, Any]) -> None:
        """One audit entry for a message that has no effect."""
        with self._database.session() as session:
            audit.append(session, self._owner, "message refused", {"reason": reason, **detail})

    def _refuse(self, claim: Claim, reason: str) -> None:
        self.refuse_message(reason, asdict(claim))

    def _begin(self, session: PsycopgSession, claim: Claim) -> Job | None:
        with unflushed(session):
            begun = session.row(QUERIES["begin_command"], {**asdict(claim), "owner": self._owner})
        if begun is None:
            return None
        row = session.dicts("SELECT * FROM bluegreen_control.job WHERE id = %s", (claim.job,))[0]
        asked = session.rows(QUERIES["requests_of_job"], {"job": claim.job})
        now = session.value("SELECT clock_timestamp()")
        options = options_of(row)
        return Job(
            id=row["id"],
            database=row["database"],
            kind=Kind(row["kind"]),
            file_name=row["file_name"],
            sql=row["sql"],
            options=options,
            source=Colour(row["source"]),
            epoch=claim.epoch,
            attempt=claim.attempt,
            facts=facts_of(session, claim.job),
            requests=counting(asked, now, timedelta(seconds=options.switch_delay_s)),
            keeps_sync=row["back_to"] is not None,
        )


def _locked(session: PsycopgSession, job: str) -> bool:
    """Whether the job's lock is ours; it waits a little for another look to end."""
    try:
        with session.transaction():
            session.execute(f"SET LOCAL lock_timeout = {int(LOCK_LIMIT_S * 1000)}")
            session.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (LOCK_CLASS, job))
    except Transient as error:
        if error.code == "55P03":
            return False
        raise
    return True


def _unlock(session: PsycopgSession, job: str) -> None:
    """A lost connection has given the lock back already."""
    if not session.connection.closed:
        session.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (LOCK_CLASS, job))


def _answer_columns(result: Result) -> dict[str, Any]:
    kind: Literal["pending", "done", "failed"]
    match result:
        case Done():
            kind = "done"
        case Pending():
            kind = "pending"
        case Failed():
            kind = "failed"
    return {
        "kind": kind,
        "said": result.sentence,
        "progress": result.progress if isinstance(result, Pending) else None,
        "look_again_s": result.look_again_s if isinstance(result, Pending) else 0.0,
        "family": result.family if isinstance(result, Failed) else "",
        "remedy": result.remedy if isinstance(result, Failed) else "",
    }

"""How far a statement in batches has come: written on the migrated server, with each batch.

The note of a batch stands or falls with its transaction, so what it says is what was changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.migration import Job
from shared.ports import Session

SUFFIX = " batches"
"""Behind a part's name: the name of its note."""
BEGIN_NOTE = """
INSERT INTO bluegreen.applied (job, part, note) VALUES (%s, %s, %s::jsonb) ON CONFLICT DO NOTHING
"""
READ_NOTE = "SELECT note FROM bluegreen.applied WHERE job = %s AND part = %s"
LOCK_NOTE = READ_NOTE + " FOR UPDATE"
WRITE_NOTE = "UPDATE bluegreen.applied SET note = %s::jsonb WHERE job = %s AND part = %s"


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far one statement has come; stands in the control of the migrated server itself."""

    key_type: str
    total: int
    """Rows of the table when it began, as estimated; 0: unknown."""
    size: int
    began_s: float
    """Seconds since 1970."""
    last: str | None = None
    """The highest key that is done, as text."""
    walked: int = 0
    changed: int = 0

    @classmethod
    def read(cls, note: Mapping[str, Any]) -> SoFar:
        return cls(**note)

    def as_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @property
    def progress(self) -> float | None:
        return min(0.99, self.walked / self.total) if self.total else None

    def sentence(self, now_s: float) -> str:
        text = f"{self.changed} rows changed, {self.walked} of about {self.total} looked at"
        elapsed_s = now_s - self.began_s
        if not self.progress or elapsed_s < 1:
            return text
        left_s = elapsed_s * (1 - self.progress) / self.progress
        left = f"{left_s:.0f} s" if left_s < 120 else f"{left_s / 60:.0f} min"
        return f"{text}, about {left} to go"


def how_far(session: Session, job: Job, part: str) -> SoFar | None:
    """None before its first look."""
    note = session.value(READ_NOTE, _key(job, part))
    return None if note is None else SoFar.read(note)


def has_begun(session: Session, job: Job, part: str) -> bool:
    """Whether a batch of that part has committed."""
    so_far = how_far(session, job, part)
    return so_far is not None and so_far.last is not None


def begin(session: Session, job: Job, part: str, fresh: SoFar) -> None:
    session.execute(BEGIN_NOTE, [*_key(job, part), fresh.as_json()])


def locked(session: Session, job: Job, part: str) -> SoFar:
    """What stands there, which no other transaction writes until this one ends."""
    return SoFar.read(session.value(LOCK_NOTE, _key(job, part)))


def write(session: Session, job: Job, part: str, so_far: SoFar) -> None:
    session.execute(WRITE_NOTE, [so_far.as_json(), *_key(job, part)])


def _key(job: Job, part: str) -> list[str]:
    return [job.id, part + SUFFIX]

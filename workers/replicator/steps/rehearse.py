"""What the file does to every table is known, and proven on empty copies of the schema.

Guarantee: the mapping is stored with the job; no copy is left for the fork to carry over.
Repeats:   copies have fixed names: those of a run that died are dropped by the next.
Undo:      drop the copies, forget the mapping.
Fails with Refused, with statement, line and remedy, for what cannot be kept in sync.
Source:    shared/adapters/rehearsal/rehearsal.py; shared/mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain.counted import counted
from shared.domain.environment import Colour
from shared.domain.facts import Rehearsal
from shared.domain.migration import Job
from shared.mapping.model import Mapping as TableMapping
from shared.ports import Done, RehearsalRoom, Rehearsals, RehearsedFile


@dataclass(frozen=True)
class Rehearse:
    rooms: Mapping[Colour, RehearsalRoom]
    rehearsals: Rehearsals

    name: ClassVar[str] = "rehearse"

    def is_done(self, job: Job) -> bool:
        return self.rehearsals.find(job.id) is not None and self.rooms[job.source].is_clear()

    def do(self, job: Job) -> Done:
        rehearsed = self.rooms[job.source].rehearse(job.sql)
        self.rehearsals.save(job.id, rehearsed)
        changed = len(TableMapping.model_validate(rehearsed.mapping).changed_tables)
        told = counted(changed, "table changes its shape", "tables change their shape")
        return Done(f"rehearsed: {told}", _facts(rehearsed))

    def undo(self, job: Job) -> Done:
        self.rooms[job.source].clear()
        self.rehearsals.forget(job.id)
        return Done("copies of the schema are gone")

    def recall(self, job: Job) -> Mapping[str, Any]:
        rehearsed = self.rehearsals.find(job.id)
        return {} if rehearsed is None else _facts(rehearsed)


def _facts(rehearsed: RehearsedFile) -> dict[str, Any]:
    facts = Rehearsal(mapping=dict(rehearsed.mapping), run_as=rehearsed.run_as)
    return facts.model_dump(mode="json")

"""Both sides hold the same rows, and what the file computes is what the file says.

Guarantee: a verdict of 0 different rows, not older than an hour, is stored for this job.
Repeats:   goes on behind the last chunk that was compared.
Undo:      forget the verdict.
Fails with Broken   rows differ: each is named by its key
           Refused  a rollback would lose values, and nobody accepted that
Source:    shared/mapping/comparison.py, target_comparison.py; docs/verdict.md
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from shared.domain.counted import counted
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.domain.facts import Rehearsal, Verdict
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.mapping.model import Mapping as TableMapping
from shared.ports import Comparisons, Done, Node, Pending
from workers.validator import partition_files
from workers.validator.both_sides import Behind, BothSides
from workers.validator.progress import Progress
from workers.validator.row_comparison import NAMED_ROWS, RowComparison

LOOK_S = 2.5
STATEMENT_LIMIT_S = 120.0
ROWS = """
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint
FROM pg_class WHERE oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
   OR oid IN (SELECT inhrelid FROM pg_inherits
              WHERE inhparent IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name))
"""


@dataclass(frozen=True)
class CompareRows:
    nodes: Mapping[Colour, Node]
    comparisons: Comparisons

    name: ClassVar[str] = "compare_rows"

    def is_done(self, job: Job) -> bool:
        progress = self._found(job)
        if progress is None or not progress.is_fresh or progress.confirmed:
            return False
        return not progress.lossy or job.options.accept_lossy_rollback

    def do(self, job: Job) -> Done | Pending:
        mapping = TableMapping.model_validate(Rehearsal.of(job).mapping)
        progress = self._found(job)
        if progress is None or progress.phase == "done":
            progress = Progress()
        sentence = self._look(job, mapping, progress)
        if progress.phase != "done":
            self._save(job, progress)
            return Pending(sentence, progress.share)
        progress.at = datetime.now(UTC)
        self._save(job, progress)
        _judge(job, progress)
        return Done(
            f"{counted(progress.rows_compared, 'row')} compared in "
            f"{counted(len(mapping.tables), 'table')}, 0 different",
            _verdict(mapping, progress),
        )

    def undo(self, job: Job) -> Done:
        self.comparisons.forget(job.id)
        return Done("the verdict is forgotten")

    def recall(self, job: Job) -> Mapping[str, Any]:
        progress = self._found(job)
        if progress is None:
            return {}
        return _verdict(TableMapping.model_validate(Rehearsal.of(job).mapping), progress)

    def _look(self, job: Job, mapping: TableMapping, progress: Progress) -> str:
        """Work until this look is over; the sentence for people."""
        end = time.monotonic() + LOOK_S
        with (
            self.nodes[job.source].session(limit_s=STATEMENT_LIMIT_S) as source,
            self.nodes[job.target].session(limit_s=STATEMENT_LIMIT_S) as target,
        ):
            if progress.files is None:
                progress.files = partition_files.read(source, target)
            if not progress.rows_total:
                names = [table.sync.sql for table in mapping.tables]
                progress.rows_total = int(source.value(ROWS, [names, names]))
            sides = BothSides(source, target, FORWARD)
            try:
                RowComparison(sides, mapping, progress).work(end)
            except Behind as behind:
                return behind.message
        return f"{progress.phase}: {progress.rows_compared} rows compared"

    def _found(self, job: Job) -> Progress | None:
        found = self.comparisons.find(job.id)
        return None if found is None else Progress.model_validate(found)

    def _save(self, job: Job, progress: Progress) -> None:
        self.comparisons.save(job.id, progress.model_dump(mode="json"))


def _judge(job: Job, progress: Progress) -> None:
    if progress.confirmed:
        named = "; ".join(progress.confirmed[:NAMED_ROWS])
        raise Broken(
            f"expected equal rows on both sides, found {len(progress.confirmed)} different:"
            f" {named}; there will be no cutover",
            remedy="find out who wrote on the target, then run the migration again",
        )
    if progress.lossy and not job.options.accept_lossy_rollback:
        lost = ", ".join(f"{rows} rows of {table}" for table, rows in progress.lossy.items())
        raise Refused(
            f"a rollback could not give back the old values of {lost}",
            remedy="write `-- bluegreen: down TABLE.COLUMN = EXPRESSION`, or accept the loss with"
            " --accept-lossy-rollback",
        )


def _verdict(mapping: TableMapping, progress: Progress) -> dict[str, Any]:
    assert progress.at is not None, "only a comparison at its end has a verdict"
    verdict = Verdict(
        tables=len(mapping.tables),
        rows_compared=progress.rows_compared,
        rows_different=len(progress.confirmed),
        columns_not_compared=mapping.columns_not_compared,
        at=progress.at.isoformat(),
        files=progress.files,
    )
    return verdict.model_dump(mode="json")

"""Nothing happened on the source that no stream carries, before the pause and up to the fence.

A partition of a table that is replicated through its root may have been emptied by itself. That is
seen by its file; so is a rewrite, which leaves older rows, and TRUNCATE of the whole table, which
gives all its partitions another file in one transaction and reaches the target.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from shared.domain.errors import Refused, Transient
from shared.domain.facts import PartitionFiles, Verdict
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Node, Row, Session
from shared.sql.not_replicated import (
    CHANGED_SINCE,
    FILES_OF_TABLES,
    HAS_ROWS_BEFORE,
    PARTITION_FILES,
    UNLOGGED,
)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the pause looks at once more: by oid."""

    files: dict[str, int]
    """Of partitions."""
    unlogged: tuple[str, ...] = ()
    """Tables without rows."""

    def __bool__(self) -> bool:
        return bool(self.files or self.unlogged)


NOTHING = Watched({})


def expect_carried(job: Job, source: Node, target: Node) -> Watched:
    """Raises Refused for what the application did behind the comparison and no stream carries."""
    with source.session() as session:
        unlogged = session.rows(UNLOGGED)
        found = session.rows(PARTITION_FILES, [FORWARD])
        _expect_empty(job, [name for _, name, has_rows in unlogged if has_rows])
        before = Verdict.of(job).files
        if before is not None and found:
            _expect_files(before, found, session, target)
    return Watched(
        {oid: file for oid, _, _, file, _ in found}, tuple(oid for oid, _, _ in unlogged)
    )


def expect_unchanged(session: Session, watched: Watched) -> None:
    """In the pause. Raises Transient: the next look says what it was."""
    files = watched.files
    changed = session.rows(CHANGED_SINCE, [list(files), list(files.values()), [*watched.unlogged]])
    if changed:
        raise Transient(
            f"expected nothing that is not replicated in the last moment, found {changed[0][0]}"
            " emptied, rewritten or filled; looks again"
        )


def _expect_empty(job: Job, unlogged: list[str]) -> None:
    if unlogged:
        raise Refused(
            f"expected no rows in unlogged tables of {job.source}, which do not reach the other"
            f" side, found some in {', '.join(unlogged)}",
            remedy=f"empty it by TRUNCATE, or ALTER TABLE {unlogged[0]} SET LOGGED before the job",
        )


def _expect_files(before: PartitionFiles, found: list[Row], source: Session, target: Node) -> None:
    emptied: dict[str, dict[str, str]] = defaultdict(dict)
    for oid, table, name, file, by in found:
        has_another = file != before.source.get(oid, file)
        if has_another and not source.value(HAS_ROWS_BEFORE, [oid, before.oldest]):
            emptied[table][name] = by
    if not emptied:
        return
    with target.session() as session:
        there: dict[str, list[int]] = dict(session.rows(FILES_OF_TABLES, [sorted(emptied)]))
    for table, by in emptied.items():
        whole = len(by) == sum(row[1] == table for row in found) and len({*by.values()}) == 1
        if whole and set(there[table]).isdisjoint(before.target.get(table, there[table])):
            continue
        raise Refused(
            f"expected partition {next(iter(by))} of {table} as it was compared, found it emptied"
            " by TRUNCATE, which is not replicated for a single partition of this table",
            remedy="DELETE its rows while a job is live, or TRUNCATE it before or after one; run"
            " the file again",
        )

"""Which files held the rows of partitions that may be emptied behind the comparison's back."""

from __future__ import annotations

from shared.domain.facts import PartitionFiles
from shared.domain.objects import FORWARD
from shared.ports import Session
from shared.sql.not_replicated import FILES_OF_TABLES, OLDEST_RUNNING, PARTITION_FILES


def read(source: Session, target: Session) -> PartitionFiles:
    """Before any row is compared: what is emptied until then is found by the comparison."""
    oldest = int(source.value(OLDEST_RUNNING))
    found = source.rows(PARTITION_FILES, [FORWARD])
    tables = sorted({table for _, table, *_ in found})
    return PartitionFiles(
        source={oid: file for oid, _, _, file, _ in found},
        target={name: sorted(files) for name, files in target.rows(FILES_OF_TABLES, [tables])}
        if tables
        else {},
        oldest=oldest,
    )

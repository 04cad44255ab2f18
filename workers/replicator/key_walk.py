"""One statement of a job, walked along a key of its table: each batch is a transaction.

Where it stands is read and written inside that transaction, so a batch that was killed is run again
and one that committed is not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from shared.domain.errors import MigrationError, Refused
from shared.domain.identifiers import ident, literal
from shared.domain.migration import Job
from shared.ports import Session
from shared.sql.batches import Batched
from workers.replicator import batch_progress
from workers.replicator.batch_progress import SoFar
from workers.replicator.groups import PlannedPart

LEAST_SIZE = 10
KEY = """
SELECT a.attnotnull, format_type(a.atttypid, a.atttypmod),
       EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS ic ON ic.oid = i.indexrelid
               JOIN pg_am AS m ON m.oid = ic.relam
               WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indpred IS NULL
                 AND i.indisvalid AND m.amname = 'btree'),
       greatest(c.reltuples, 0, (SELECT sum(greatest(part.reltuples, 0))
                                 FROM pg_partition_tree(c.oid) AS tree
                                 JOIN pg_class AS part ON part.oid = tree.relid))::bigint
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.oid = to_regclass(%s) AND a.attname = %s AND NOT a.attisdropped
"""
WRITE_APPLIED = "INSERT INTO bluegreen.applied (job, part) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class KeyWalk:
    """One statement of one job."""

    job: Job
    each: PlannedPart
    cut: Batched

    @property
    def part(self) -> str:
        return f"{self.job.id}/{self.each.part.name}"

    def begin(self, session: Session) -> SoFar:
        """Where it stands; at the first time, from the beginning."""
        name = self.each.part.name
        if (so_far := batch_progress.how_far(session, self.job, name)) is not None:
            return so_far
        assert self.each.group.batch is not None
        size = self.each.group.batch.size
        with session.transaction():
            session.execute(f"SET LOCAL ROLE {ident(self.each.part.run_as)}")
            plain = self.cut.table.removeprefix("ONLY ")
            found = session.row(KEY, [plain, self.cut.key.strip('"').replace('""', '"')])
            if found is None:
                raise self._refused(f"expected a table {plain} with {self.cut.key}, found none")
            is_not_null, key_type, is_indexed, counted = found
            total = counted or self._estimated(session)
        if not is_not_null or not is_indexed:
            lacks = "an index that begins with it" if is_not_null else "NOT NULL"
            raise self._refused(f"the key {self.cut.key} of {plain} lacks {lacks}")
        fresh = SoFar(key_type=key_type, total=int(total), size=size, began_s=time.time())
        batch_progress.begin(session, self.job, name, fresh)
        return fresh

    def _estimated(self, session: Session) -> int:
        """Rows of a table that was never analyzed, as the planner takes them from its size."""
        # The name is quoted by ident.
        plan = session.value(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {self.cut.table}")  # noqa: S608
        return int(plan[0]["Plan"]["Plan Rows"])

    def one(self, session: Session) -> SoFar | None:
        """Run the next batch; None when none was left, which is written down as well."""
        with session.transaction():
            so_far = batch_progress.locked(session, self.job, self.each.part.name)
            stretch = self._next(session, so_far)
            if stretch is None:
                session.execute(WRITE_APPLIED, [self.job.id, self.each.part.name])
                return None
            last, walked = stretch
            changed = self._run(session, so_far, last)
            after = replace(
                so_far, last=last, walked=so_far.walked + walked, changed=so_far.changed + changed
            )
            batch_progress.write(session, self.job, self.each.part.name, after)
        return after

    def shrink(self, session: Session) -> SoFar:
        """Batches that take long become smaller, for good."""
        with session.transaction():
            so_far = batch_progress.locked(session, self.job, self.each.part.name)
            smaller = replace(so_far, size=max(LEAST_SIZE, so_far.size // 2))
            batch_progress.write(session, self.job, self.each.part.name, smaller)
        return smaller

    def _next(self, session: Session, so_far: SoFar) -> tuple[str, int] | None:
        """The last key of the next batch, and how many rows it walks."""
        behind = f"WHERE {self._behind(so_far, self.cut.key)}" if so_far.last is not None else ""
        # Names are quoted by ident, the key is a literal of its own type. ORDER BY prefers names of
        # the output, so the text must not be called k: it has an order of its own.
        found = session.row(
            f"SELECT k::text AS last, count(*) OVER () FROM (SELECT {self.cut.key} AS k FROM"  # noqa: S608
            f" {self.cut.table} {behind} ORDER BY 1 LIMIT {so_far.size:d}) AS next"
            " ORDER BY k DESC LIMIT 1"
        )
        return None if found is None else (str(found[0]), int(found[1]))

    def _run(self, session: Session, so_far: SoFar, last: str) -> int:
        key = self.cut.key_in_statement
        stretch = f"{key} <= {literal(last)}::{so_far.key_type}"
        if so_far.last is not None:
            stretch = f"{self._behind(so_far, key)} AND {stretch}"
        session.execute(f"SET LOCAL ROLE {ident(self.each.part.run_as)}")
        try:
            changed = session.execute(self.cut.within(stretch))
        except MigrationError as error:
            place = f"{self.job.file_name}:{self.each.statement.place}"
            message = f"{place}: {error.message}; batches before it stay"
            raise type(error)(message, remedy=error.remedy, code=error.code) from error
        session.execute("RESET ROLE")
        return changed

    def _behind(self, so_far: SoFar, key: str) -> str:
        assert so_far.last is not None
        return f"{key} > {literal(so_far.last)}::{so_far.key_type}"

    def _refused(self, message: str) -> Refused:
        place = self.each.statement.place
        return Refused(
            f"{self.job.file_name}:{place}: {message}: rows cannot be walked along it",
            remedy="name the primary key in `-- bluegreen: batch`",
        )

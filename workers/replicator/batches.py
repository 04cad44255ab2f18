"""A bulk UPDATE or DELETE in many small transactions along a key: none of them is long.

How far it has come is written in the transaction of each batch, so one that was killed goes on
exactly where it stopped: every row is changed once. Batches are paced by pace.py; in a maintenance,
where clients are held, nothing paces them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Refused, Transient
from shared.domain.identifiers import ident, literal
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Node, Pending, Pooler, Session
from shared.sql.batches import Batched, batched
from workers.replicator import run_file
from workers.replicator.groups import PlannedPart
from workers.replicator.pace import Pace, Sample

SO_FAR = " batches"
LOOK_S = 1.5
LOCK_LIMIT_S = 0.5
BATCH_LIMIT_S = 30.0
LONG_BATCH_S = 1.0
LEAST_SIZE = 10
OVER_TIME = "57014"
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
BEGIN_NOTE = """
INSERT INTO bluegreen.applied (job, part, note) VALUES (%s, %s, %s::jsonb) ON CONFLICT DO NOTHING
"""
READ_NOTE = "SELECT note FROM bluegreen.applied WHERE job = %s AND part = %s"
LOCK_NOTE = READ_NOTE + " FOR UPDATE"
WRITE_NOTE = "UPDATE bluegreen.applied SET note = %s::jsonb WHERE job = %s AND part = %s"
WRITE_APPLIED = "INSERT INTO bluegreen.applied (job, part) VALUES (%s, %s) ON CONFLICT DO NOTHING"
LAG = """
SELECT greatest(0,
    (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication),
    (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots
     WHERE NOT active))::bigint
"""


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


@dataclass
class Batches:
    """One per worker process."""

    nodes: Mapping[Colour, Node]
    pooler: Pooler
    clock_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _paces: dict[str, Pace] = field(default_factory=dict)

    def advance(self, job: Job, each: PlannedPart) -> Pending | None:
        """Run batches for about a look; None once the last one has run.

        Raises Refused for a key that rows cannot be walked along, and the statement's own error
        with its place in the file.
        """
        work = _Work(job, each, self._cut(each))
        pace = self._paces.setdefault(work.part, Pace())
        end = self.clock_s() + LOOK_S
        with self.nodes[job.source].session(
            limit_s=BATCH_LIMIT_S,
            lock_limit_s=LOCK_LIMIT_S,
            application_name=run_file.session_name(job),
        ) as session:
            so_far = work.begin(session)
            while self.clock_s() < end:
                if waits := self._holds_back(session, job, pace):
                    return _pending(so_far, waits, 0.3)
                began = self.clock_s()
                try:
                    found = work.one(session)
                except Transient as error:
                    if error.code != OVER_TIME:
                        raise
                    so_far = work.shrink(session)
                    continue
                if found is None:
                    del self._paces[work.part]
                    return None
                so_far = found
                if self.clock_s() - began > LONG_BATCH_S:
                    so_far = work.shrink(session)
                self._look(job, pace)
                if pace.pause_s:
                    self.wait(min(pace.pause_s, max(0.0, end - self.clock_s())))
        return _pending(so_far, pace.why, max(0.0, pace.pause_s - LOOK_S))

    def _cut(self, each: PlannedPart) -> Batched:
        asked, statement = each.group.batch, each.statement
        assert asked is not None
        return batched(
            statement.tag, statement.text, statement.node, table=asked.table, key=asked.key
        )

    def _holds_back(self, session: Session, job: Job, pace: Pace) -> str:
        """Why no batch may run now; empty when one may."""
        if job.kind is Kind.MAINTENANCE:
            return ""
        sample = self._sample()
        if sample is not None and pace.wants_quiet(sample):
            return "measures what is usual without it"
        lag_bytes = int(session.value(LAG))
        if pace.is_held_by(lag_bytes):
            return f"waits for the standby, which is {lag_bytes >> 20} MB behind"
        return ""

    def _look(self, job: Job, pace: Pace) -> None:
        sample = None if job.kind is Kind.MAINTENANCE else self._sample()
        if sample is not None:
            pace.saw(sample)

    def _sample(self) -> Sample | None:
        """None while the pooler does not answer: nobody is served through it then."""
        try:
            traffic = self.pooler.traffic()
        except Transient:
            return None
        return Sample(self.clock_s(), traffic.transactions, traffic.seconds)


@dataclass(frozen=True, slots=True)
class _Work:
    """One statement of one job."""

    job: Job
    each: PlannedPart
    cut: Batched

    @property
    def part(self) -> str:
        return f"{self.job.id}/{self.each.part.name}"

    @property
    def _note(self) -> str:
        return self.each.part.name + SO_FAR

    def begin(self, session: Session) -> SoFar:
        """Where it stands; at the first time, from the beginning."""
        note = session.value(READ_NOTE, [self.job.id, self._note])
        if note is not None:
            return SoFar.read(note)
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
        session.execute(BEGIN_NOTE, [self.job.id, self._note, fresh.as_json()])
        return fresh

    def _estimated(self, session: Session) -> int:
        """Rows of a table that was never analyzed, as the planner takes them from its size."""
        # The name is quoted by ident.
        plan = session.value(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {self.cut.table}")  # noqa: S608
        return int(plan[0]["Plan"]["Plan Rows"])

    def one(self, session: Session) -> SoFar | None:
        """Run the next batch; None when none was left, which is written down as well."""
        with session.transaction():
            so_far = SoFar.read(session.value(LOCK_NOTE, [self.job.id, self._note]))
            stretch = self._next(session, so_far)
            if stretch is None:
                session.execute(WRITE_APPLIED, [self.job.id, self.each.part.name])
                return None
            last, walked = stretch
            changed = self._run(session, so_far, last)
            after = replace(
                so_far, last=last, walked=so_far.walked + walked, changed=so_far.changed + changed
            )
            session.execute(WRITE_NOTE, [after.as_json(), self.job.id, self._note])
        return after

    def shrink(self, session: Session) -> SoFar:
        """Batches that take long become smaller, for good."""
        with session.transaction():
            so_far = SoFar.read(session.value(LOCK_NOTE, [self.job.id, self._note]))
            smaller = replace(so_far, size=max(LEAST_SIZE, so_far.size // 2))
            session.execute(WRITE_NOTE, [smaller.as_json(), self.job.id, self._note])
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


def has_begun(session: Session, job: Job, part: str) -> bool:
    """Whether a batch of that part has committed."""
    note = session.value(READ_NOTE, [job.id, part + SO_FAR])
    return note is not None and SoFar.read(note).last is not None


def how_far(session: Session, job: Job, part: str) -> SoFar | None:
    note = session.value(READ_NOTE, [job.id, part + SO_FAR])
    return None if note is None else SoFar.read(note)


def _pending(so_far: SoFar, why: str, look_again_s: float) -> Pending:
    said = so_far.sentence(time.time())
    return Pending(f"{said} ({why})" if why else said, so_far.progress, look_again_s)

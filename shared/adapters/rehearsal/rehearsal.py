"""The file on empty copies of the schema: what it does, and the proof that it can be carried.

plain    the file alone, statement by statement: the mapping is derived from what it does
landed   what will happen on the target: landing columns, the file, names there and back, the end
source   what will happen on the source: names there and back, and everything put back

The gate: `plain` and `landed` must define the same schema, and `source` the one it began with.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.dump.pg_dump import Server, program
from shared.adapters.rehearsal.file_rehearsal import FileRehearsal
from shared.adapters.rehearsal.still_meant import NOT_MEANT, check_still_meant
from shared.adapters.schema.catalog_snapshot import QUERIES
from shared.adapters.schema.schema_copy import LANDED, PLAIN, SOURCE, Copies, definitions
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.domain.objects import AGENT_ROLES
from shared.mapping.allowed import check_allowed, check_allowed_at_cutover, named_relations
from shared.mapping.derive import derive
from shared.mapping.job_schema import drop_job_schema
from shared.mapping.landing import landing
from shared.mapping.model import AtCutover, Mapping
from shared.mapping.prepare import finish_green, prepare_green, prepare_source, settle_source
from shared.ports import RehearsedFile, Session
from shared.settings import Settings
from shared.sql.directives import Directives, directives
from shared.sql.parse import Statement, statements

TO_FINAL, TO_SYNC = ("SELECT bluegreen_job.to_final()", "SELECT bluegreen_job.to_sync()")
GATE_REMEDY = (
    "name the columns instead of SELECT * or LIKE, attach partitions in a migration of their own,"
    " or use --type maintenance"
)
NO_SUCH_SCHEMA = "3F000"
SCHEMA_REMEDY = (
    "tables keep their old names until the cutover: leave that schema as it is, move its tables"
    " with ALTER TABLE .. SET SCHEMA, and drop it in a migration after this one; or use"
    " --type maintenance"
)


@dataclass(frozen=True, slots=True)
class ScratchRehearsalRoom:
    """The RehearsalRoom port: beside the database that is to be migrated."""

    copies: Copies
    migration_role: str | None = None

    def rehearse(self, sql: str) -> RehearsedFile:
        """Raises Refused, with statement, line and remedy, for what cannot be carried."""
        steps, wishes = statements(sql), directives(sql)
        if wishes.problems:
            problem = wishes.problems[0]
            raise Refused(f"{problem.place}: {problem.message}", remedy=problem.remedy)
        waiting = wishes.at_cutover
        check_allowed_at_cutover([step for step in steps if step.index in waiting])
        check_allowed([step for step in steps if step.index not in waiting])
        try:
            return self._rehearse(steps, wishes)
        finally:
            self.copies.drop()

    def clear(self) -> None:
        """Drop what a run that died has left."""
        self.copies.drop()

    def is_clear(self) -> bool:
        return self.copies.are_gone()

    def _rehearse(self, steps: list[Statement], wishes: Directives) -> RehearsedFile:
        self.copies.make()
        with self.copies.session(PLAIN) as session:
            run_as = self.migration_role or role_for(session, steps)
            rehearsal = FileRehearsal(session, steps, wishes, run_as)
            mapping = derive(rehearsal.trace())
            if rehearsal.waiting:
                rehearsal.try_out_waiting()
                wanted = AtCutover(statements=rehearsal.waiting, run_as=run_as)
                mapping = mapping.model_copy(update={"at_cutover": wanted})
        self.copies.add(LANDED)
        try:
            with self.copies.session(LANDED) as session:
                rehearse_target(session, mapping, FileRehearsal(session, steps, wishes, run_as))
            began = self.copies.dump(SOURCE)  # restored, names of constraints may be others
            with self.copies.session(SOURCE) as session:
                rehearse_source(session, mapping)
        except Refused as error:
            if error.code == NOT_MEANT:
                raise
            remedy = SCHEMA_REMEDY if error.code == NO_SUCH_SCHEMA else GATE_REMEDY
            raise Refused(
                f"the file cannot be kept in sync: {error.message}", remedy=remedy
            ) from error
        _compare(self.copies.dump(PLAIN), self.copies.dump(LANDED), "on the target")
        _compare(began, self.copies.dump(SOURCE), "on the source")
        return RehearsedFile(mapping.model_dump(mode="json"), run_as)


def room_of(settings: Settings, colour: Colour) -> ScratchRehearsalRoom:
    """The room on that server, entered as the replicator."""
    node, role = settings.nodes[colour], AGENT_ROLES["replicator"]
    server = Server(node.host, node.port, settings.database, role, settings.secret(role))
    programs = program("pg_dump", settings, colour).parent
    return ScratchRehearsalRoom(Copies(server, programs), settings.migration_role)


def rehearse_target(session: Session, mapping: Mapping, file: FileRehearsal) -> None:
    """Everything that the target goes through, in order, on an empty copy."""
    _in_one(session, landing(mapping))
    file.run()
    _in_one(session, prepare_green(mapping))
    check_still_meant(session, mapping)
    for each in (TO_FINAL, TO_SYNC, TO_FINAL, *finish_green(mapping)):
        session.execute(each)


def rehearse_source(session: Session, mapping: Mapping) -> None:
    """Everything that the source goes through when there is a rollback, on an empty copy."""
    _in_one(session, prepare_source(mapping))
    for each in (TO_FINAL, TO_SYNC, *settle_source(mapping), *drop_job_schema()):
        session.execute(each)


def role_for(session: Session, steps: list[Statement]) -> str:
    """The single owner of what the file touches, else the owner of the database."""
    names = [ident(*name) for name in named_relations(steps)]
    owners = session.rows(QUERIES["owners"], [names])
    if len(owners) == 1:
        return str(owners[0][0])
    row = session.row(QUERIES["like"])
    assert row is not None, "a database sees itself in pg_database"
    return str(row[0])


def _in_one(session: Session, wanted: Sequence[str]) -> None:
    with session.transaction():
        for statement in wanted:
            session.execute(statement)


def _compare(expected: str, found: str, where: str) -> None:
    left, right = definitions(expected), definitions(found)
    if left == right:
        return
    changed = [
        line
        for line in difflib.unified_diff(left, right, lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    raise Refused(
        f"the file cannot be kept in sync: {where} the schema would not end as the file makes it"
        f" ({'; '.join(changed[:4])})",
        remedy=GATE_REMEDY,
    )

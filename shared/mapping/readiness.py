"""What a risky migration will do with each statement of a file, said before anything is copied.

From the syntax tree and, where it is known, the catalog: what can never be carried is refused with
the same words as the rehearsal would, and what will be done with the rest is told. A rehearsal on
real servers sees more (`Readiness.seen_by`); what the tree cannot decide is said to be open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from shared.domain.errors import Refused
from shared.mapping.allowed import check_allowed, check_allowed_at_cutover, relation_names
from shared.mapping.data_changes import data_changes
from shared.mapping.new_rows import copied_rows
from shared.mapping.readiness_keys import key_problem, without_key
from shared.mapping.readiness_locality import check_local
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.sql.catalog import Catalog
from shared.sql.directives import directives
from shared.sql.grammar import Node
from shared.sql.parse import Statement, read

Way = Literal["carried", "landing", "in-the-pause", "green-only", "unchanged", "open", "refused"]
"""carried       rows that are written later follow as they are
landing       the old value lands in a column of its own; a trigger computes the new one, and back
in-the-pause  blue gets the same change of the catalog in the cutover's pause
green-only    green has it, blue keeps what it has until the rollback window ends
unchanged     nothing of it concerns the rows of a table in use
open          only a rehearsal can tell
refused       it cannot be kept in sync"""
NEEDS_REHEARSAL = (
    "whether every expression depends on its own row alone, and whether the schema ends as the "
    "file makes it, only a rehearsal can tell: `--trace`, or the job's own step `rehearse`"
)


@dataclass(frozen=True, slots=True)
class Change:
    line: int
    column: int
    statement: str
    way: Way
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    changes: tuple[Change, ...]
    seen_by: Literal["syntax", "rehearsal"] = "syntax"
    mapping: tuple[str, ...] = ()
    """The mapping in sentences, after a rehearsal."""
    not_seen: tuple[str, ...] = (NEEDS_REHEARSAL,)

    @property
    def refusal(self) -> Change | None:
        return next((change for change in self.changes if change.way == "refused"), None)

    def as_json(self) -> dict[str, Any]:
        """The key `blueGreen` of a report."""
        return {
            "ready": self.refusal is None,
            "seenBy": self.seen_by,
            "changes": [asdict(change) for change in self.changes],
            "mapping": list(self.mapping),
            "notSeen": list(self.not_seen),
        }


def readiness(sql: str, catalog: Catalog | None = None) -> Readiness:
    """Statement by statement. Never raises for what a file may hold."""
    reading = read(sql)
    made = _Made()
    waiting = directives(sql, reading).at_cutover
    found = [
        each
        for statement in reading.statements
        for each in (
            _in_the_pause(statement)
            if statement.index in waiting
            else _changes(statement, made, catalog)
        )
    ]
    told = " ".join(change.what for change in found if change.way == "refused")
    found += [
        _change(reading.statements[0], "refused", *problem)
        for problem in without_key(reading.statements, catalog)
        if reading.statements and problem[0] not in told
    ]
    return Readiness(tuple(found))


def rehearsed(static: Readiness, mapping: list[str], refusal: Refused | None) -> Readiness:
    """The same with what a rehearsal found: its mapping, or why it refused."""
    if refusal is None:
        return replace(static, seen_by="rehearsal", mapping=tuple(mapping), not_seen=())
    if static.refusal is not None:
        return replace(static, seen_by="rehearsal", not_seen=())
    first = static.changes[0] if static.changes else Change(1, 1, "", "refused", "")
    change = replace(first, way="refused", what=refusal.message, remedy=refusal.remedy)
    return replace(static, seen_by="rehearsal", changes=(change, *static.changes), not_seen=())


@dataclass(slots=True)
class _Made:
    """Tables that the file makes so far, by their names as written."""

    own: set[tuple[str, ...]] = field(default_factory=set)
    copies: set[tuple[str, ...]] = field(default_factory=set)
    """Filled from a table that others write, too."""


def _in_the_pause(statement: Statement) -> Iterator[Change]:
    try:
        check_allowed_at_cutover([statement])
    except Refused as error:
        yield _change(statement, "refused", error.message, error.remedy)
        return
    yield _change(
        statement,
        "in-the-pause",
        "it runs inside the pause, at each cutover, and has to fit --max-stall; a rollback does "
        "not take it back",
    )


def _copies(statement: Statement, made: _Made) -> bool:
    """Whether the statement fills a new table from one that others write. Raises Refused."""
    names = list(dict.fromkeys(relation_names(statement.node)))
    known = {name: SeenRelation(n, "", ".".join(name), "r") for n, name in enumerate(names)}
    ours = made.own | made.copies
    start = Snapshot({found.oid: found for name, found in known.items() if name not in ours})
    filled = [known[name].oid for name in made.copies if name in known]
    copies = copied_rows(statement, start, filled, known.get) is not None
    if statement.tag == "CreateStmt":
        made.own |= set(relation_names(statement.node["relation"]))
    if statement.tag in ("CreateTableAsStmt", "InsertStmt") and (
        target := statement.node.get("relation") or statement.node.get("into", {}).get("rel")
    ):
        (made.copies if copies else made.own).update(relation_names(target))
        if copies:
            made.own -= made.copies
    return copies


def _changes(statement: Statement, made: _Made, catalog: Catalog | None) -> Iterator[Change]:
    try:
        check_allowed([statement])
        if _copies(statement, made):
            yield _change(
                statement, "carried", "the new table follows the one it is made of, row for row"
            )
            return
        computed = data_changes(statement)
        check_local(statement)
    except Refused as error:
        yield _change(statement, "refused", error.message, error.remedy)
        return
    if problem := key_problem(statement, catalog):
        yield _change(statement, "refused", *problem)
        return
    if statement.tag == "AlterTableStmt":
        for wrapped in statement.node.get("cmds", ()):
            yield _change(statement, *_command(wrapped["AlterTableCmd"]))
    elif computed:
        yield _change(
            statement,
            "landing",
            "green computes the columns that it writes by a trigger, for later rows too; the old "
            "values land beside them",
        )
    else:
        yield _change(statement, *_OTHERS.get(statement.tag, _UNCHANGED))


def _change(statement: Statement, way: Way, what: str, remedy: str = "") -> Change:
    return Change(statement.line, statement.column, statement.text, way, what, remedy)


def _command(cmd: Node) -> tuple[Way, str]:
    kind = cmd.get("subtype", "")
    if kind == "AT_AlterColumnType":
        using = "raw_default" in cmd.get("def", {}).get("ColumnDef", {})
        way = "your USING expression" if using else "the assignment cast"
        return "landing", (
            f"{cmd.get('name')}: old values land beside it, green computes the new ones by {way}; "
            "back by a `down` expression, else by the assignment cast"
        )
    return _COMMANDS.get(kind, ("unchanged", "it concerns no value of a row"))


_COMMANDS: dict[str, tuple[Way, str]] = {
    "AT_AddColumn": (
        "green-only",
        "green has the column; rows that come from blue get its default",
    ),
    "AT_DropColumn": (
        "green-only",
        "the column goes on green and stays on blue, with a default or NULL for rows born on green",
    ),
    "AT_SetNotNull": ("green-only", "checked on green, whose rows all are blue's"),
    "AT_DropNotNull": ("in-the-pause", "blue allows NULL from the pause on"),
    "AT_AddConstraint": ("green-only", "checked on green; foreign keys after catch-up"),
    "AT_DropConstraint": ("in-the-pause", "blue no longer insists on it from the pause on"),
    "AT_ColumnDefault": ("green-only", "rows written on green get the new default"),
    "AT_AttachPartition": ("open", "whether the schema ends as the file makes it"),
    "AT_SetLogged": ("unchanged", "it concerns no value of a row"),
}
_OTHERS: dict[str, tuple[Way, str]] = {
    "RenameStmt": ("in-the-pause", "both sides keep the old names until the pause"),
    "AlterObjectSchemaStmt": ("in-the-pause", "both sides keep the old place until the pause"),
    "DropStmt": ("green-only", "it goes on green and stays on blue until the window ends"),
    "CreateStmt": ("green-only", "made on green; it is not replicated"),
    "IndexStmt": ("green-only", "built on green while blue serves"),
    "CreateTableAsStmt": ("green-only", "made on green; it is not replicated"),
    "InsertStmt": ("green-only", "rows of a table that the file makes"),
    "ViewStmt": ("green-only", "made on green"),
}
_UNCHANGED: tuple[Way, str] = ("unchanged", "it concerns no value of a row in use")

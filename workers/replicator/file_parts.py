"""The file as what is run on green: one transaction, or several where PostgreSQL wants it so.

Nobody is served there yet, so a file needs no smaller transactions than its own statements ask for.
Its BEGIN and COMMIT are left out: everything is whole or not there anyway. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.mapping.landing import landing
from shared.mapping.model import Mapping
from shared.mapping.prepare import prepare_green
from shared.mapping.statements import runs_alone
from shared.sql.directives import directives
from shared.sql.parse import Statement, statements
from shared.sql.source import Source
from workers.replicator.run_file import Part

FILE = "file"
"""The part with which the file is applied as a whole."""
BLOCKS = ("TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT")


@dataclass(frozen=True, slots=True)
class FilePart:
    part: Part
    alone: Statement | None = None
    """The statement that runs in no block; None: the part is a transaction."""


def file_parts(sql: str, run_as: str, mapping: Mapping) -> list[FilePart]:
    """In their order. The last is FILE; each is recorded when it is applied."""
    text = what_runs_now(sql)
    found, wishes = statements(sql), directives(sql)
    waiting = wishes.at_cutover
    steps = [s for s in found if s.index not in waiting and not _is_block(s)]
    before, after = tuple(landing(mapping)), tuple(prepare_green(mapping))
    if not wishes.no_transaction and not any(runs_alone(step) for step in steps):
        return [FilePart(Part(FILE, text, 0, run_as, before, after))]
    parts = [FilePart(Part("landing", "", 0, run_as, before))]
    parts += _pieces(steps, Source(sql), run_as, one_by_one=wishes.no_transaction)
    return [*parts, FilePart(Part(FILE, "", 0, run_as, after=after))]


def _pieces(
    steps: list[Statement], source: Source, run_as: str, *, one_by_one: bool
) -> Iterator[FilePart]:
    """Stretches of statements that share a transaction. What an earlier one SET, a later one needs:
    each runs in a session of its own."""
    settings: list[str] = []
    members: list[Statement] = []

    def stretch() -> Iterator[FilePart]:
        if members:
            first, last = members[0], members[-1]
            length = last.start + len(last.text.encode()) - first.start
            name = f"statement {first.index + 1}"
            text = source.slice(first.start, length)
            yield FilePart(Part(name, text, first.start, run_as, tuple(settings)))
            settings.extend(m.text for m in members if _is_setting(m))
            members.clear()

    for step in steps:
        if runs_alone(step):
            yield from stretch()
            name = f"statement {step.index + 1}"
            part = Part(name, step.text, step.start, run_as, tuple(settings))
            yield FilePart(part, alone=step)
            continue
        members.append(step)
        if one_by_one:
            yield from stretch()
    yield from stretch()


def what_runs_now(sql: str) -> str:
    """The file, blank where a statement waits for the pause and where it opens and closes its own
    block: every place in it stays the same."""
    source, waiting = Source(sql), directives(sql).at_cutover
    data = bytearray(source.data)
    for statement in statements(sql):
        if statement.index in waiting or _is_block(statement):
            end = statement.start + len(statement.text.encode())
            for at in range(statement.start, end):
                if data[at] != ord("\n"):
                    data[at] = ord(" ")
    return data.decode("utf-8", "surrogatepass")


def _is_block(statement: Statement) -> bool:
    return statement.tag == "TransactionStmt" and statement.node.get("kind", BLOCKS[0]) in BLOCKS


def _is_setting(statement: Statement) -> bool:
    return statement.tag == "VariableSetStmt" and not statement.node.get("is_local")

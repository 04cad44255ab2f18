"""A migration file as statements with their places, and every problem that keeps one unread.

Nobody gives up: a statement that the grammar refuses is a problem, the others are read. `read` has
them all; `follow` reads a few at a time and forgets the trees of a long file behind it, which
bounds its memory, and takes less time than filling that memory. `statements` is for those who come
after validation and want them all, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from shared.domain.errors import Refused
from shared.sql import grammar, unreadable
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.pieces import pieces
from shared.sql.source import Place, Source
from shared.sql.unreadable import Problem

CHUNK_BYTES = 8 * 1024
"""About so much is parsed at a time."""
STATEMENTS_LIMIT = 100_000
"""A file of more is refused unread."""
STATEMENT_LIMIT_BYTES = 4 * 1024 * 1024
"""A longer single statement is refused unread: it is data, not a change of a schema."""
KEPT = 200
"""Statements of a file that is followed whose trees are kept; of a longer one, none are."""

_END = re.compile(rb";[ \t]*\r?\n")


@dataclass(slots=True)
class Statement:
    """One statement as the file has it."""

    index: int
    """From 0, in the order of the file."""
    text: str
    """As written, without the comments before it and without its `;`."""
    start: int
    """Byte offset in the file."""
    line: int
    column: int
    """Both in characters, from 1."""
    tag: str
    """Type of the tree: `AlterTableStmt`."""
    node: Node
    """The tree's own fields; `location`s in it are relative to `origin`. Empty once `follow` has
    forgotten it."""
    origin: int
    """Byte offset in the file of location 0 of the tree."""

    @property
    def place(self) -> Place:
        return Place(self.line, self.column)


@dataclass(slots=True)
class Reading:
    """What has been read of a file: all of it, but for one that is being followed."""

    source: Source
    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False

    def follow(self) -> Iterator[Statement]:
        """The statements in order, each read when it is asked for. The trees of a long file are
        gone behind it, but those of BEGIN and COMMIT, and all stay where a directive may ask."""
        if self.complete:
            yield from self.statements
            return
        keep = b"bluegreen" in self.source.lowered
        for chunk in _chunks(self):
            first = len(self.statements)
            self.statements += chunk
            yield from chunk
            if not keep and len(self.statements) > KEPT:
                _forget(self.statements, 0 if first <= KEPT else first)
        self.complete = True


def statements(sql: str) -> list[Statement]:
    """All statements of a file. Raises Refused, with the place, when one cannot be read."""
    reading = read(sql)
    if reading.problems:
        problem = reading.problems[0]
        raise Refused(f"{problem.place}: {problem.message}", remedy=problem.remedy)
    return reading.statements


def read(sql: str) -> Reading:
    """Everything that can be read of the file, and a problem for each part that cannot."""
    reading = opened(sql)
    if not reading.complete:
        for chunk in _chunks(reading):
            reading.statements += chunk
        reading.complete = True
    return reading


def opened(sql: str) -> Reading:
    """The file to be followed; complete at once where nothing of it can be read."""
    source = Source(sql)
    zero = source.data.find(b"\x00")
    if zero >= 0:
        return Reading(source, [], [unreadable.zero_byte(source, zero)], complete=True)
    if source.data.count(b";") >= STATEMENTS_LIMIT:
        try:
            spans = grammar.split(source.data)
        except SyntaxProblem:
            spans = []
        if len(spans) > STATEMENTS_LIMIT:
            beyond = spans[STATEMENTS_LIMIT].start
            problem = unreadable.too_many(source, len(spans), beyond, STATEMENTS_LIMIT)
            return Reading(source, [], [problem], complete=True)
    return Reading(source)


_FORGOTTEN: Node = {}


def _forget(every: list[Statement], first: int) -> None:
    for statement in islice(every, first, None):
        if statement.tag != "TransactionStmt":
            statement.node = _FORGOTTEN


def _chunks(reading: Reading) -> Iterator[list[Statement]]:
    """The file's statements, a few at a time; problems go to the reading.

    A chunk ends behind a `;` at the end of a line. Where that stands inside a string, comment or
    body, the grammar refuses the chunk, and a longer one is tried: what it takes as whole
    statements are whole statements, because nothing that follows a `;` changes what went before.
    """
    source, number, start = reading.source, 0, 0
    size, end = CHUNK_BYTES, len(source.data)
    while start < end:
        stop = _stop(source.data, start + size)
        try:
            found = _parsed(source, number, start, stop)
        except SyntaxProblem:
            if stop == end:
                yield _piecewise(reading, number, start)
                return
            size *= 4
            continue
        yield found
        number, start, size = number + len(found), stop, CHUNK_BYTES


def _stop(data: bytes, least: int) -> int:
    """The end of the first line from there on that ends with a `;`, or of the file."""
    found = _END.search(data, least)
    return len(data) if found is None else found.end()


def _parsed(source: Source, number: int, start: int, stop: int) -> list[Statement]:
    """The statements of a part of the file, counted from `number`. Raises SyntaxProblem."""
    data = source.data[start:stop]
    if len(data) > STATEMENT_LIMIT_BYTES:
        for span in grammar.split(data):
            if span.length > STATEMENT_LIMIT_BYTES:
                raise SyntaxProblem("too long", span.start)
    return _statements(source, number, grammar.parse(data), start, stop)


def _piecewise(reading: Reading, number: int, start: int) -> list[Statement]:
    """What can be read from there to the end, where something cannot."""
    source, problems = reading.source, reading.problems
    found: list[Statement] = []
    rest = source.data[start:] if start else source.data
    for piece in islice(pieces(rest), STATEMENTS_LIMIT):
        piece.start += start
        if piece.kind != "sql":
            problems.append(unreadable.not_sql(source, piece))
        elif len(piece.text) > STATEMENT_LIMIT_BYTES:
            problems.append(unreadable.too_long(source, piece, STATEMENT_LIMIT_BYTES))
        else:
            stop = piece.start + len(piece.text)
            try:
                raws = grammar.parse(piece.text)
            except SyntaxProblem as problem:
                problems.append(unreadable.refused(source, piece, problem))
                continue
            found += _statements(source, number + len(found), raws, piece.start, stop)
    return found


def _statements(
    source: Source, number: int, raws: list[Node], origin: int, stop: int
) -> list[Statement]:
    """The statements of the part of the file from `origin` to `stop`."""
    found = []
    for index, raw in enumerate(raws, number):
        tag, node = raw["stmt"].popitem()  # its only one
        start = origin + raw.get("stmt_location", 0)
        length = raw.get("stmt_len") or stop - start
        text, line, column = source.cut(start, length)
        found.append(Statement(index, text, start, line, column, tag, node, origin))
    return found

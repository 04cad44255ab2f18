"""A migration file as statements with their places, and every problem that keeps one unread.

`read` never gives up: a statement that the grammar refuses is a problem, the others are read.
`statements` is for those who come after validation and want them all, or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.domain.errors import Refused
from shared.sql import grammar
from shared.sql.grammar import Node, Span, SyntaxProblem
from shared.sql.pieces import Piece, pieces
from shared.sql.source import Place, Source

BATCH_BYTES = 64 * 1024
"""Statements are parsed in batches of this size, which bounds the memory of their trees."""
STATEMENTS_LIMIT = 100_000
"""A file of more is refused unread: its trees would not fit into memory."""
STATEMENT_LIMIT_BYTES = 4 * 1024 * 1024
"""A longer single statement is refused unread: it is data, not a change of a schema."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the file has it."""

    index: int
    """From 0, in the order of the file."""
    text: str
    """As written, without the comments before it and without its `;`."""
    start: int
    """Byte offset in the file."""
    place: Place
    tag: str
    """Type of the tree: `AlterTableStmt`."""
    node: Node
    """The tree's own fields; `location`s in it are relative to `origin`."""
    origin: int
    """Byte offset in the file of location 0 of the tree."""

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def column(self) -> int:
        return self.place.column


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of the file cannot be read as SQL."""

    message: str
    place: Place
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    source: Source
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]


def statements(sql: str) -> list[Statement]:
    """All statements of a file. Raises Refused, with the place, when one cannot be read."""
    reading = read(sql)
    if reading.problems:
        problem = reading.problems[0]
        raise Refused(f"{problem.place}: {problem.message}", remedy=problem.remedy)
    return list(reading.statements)


def read(sql: str) -> Reading:
    """Everything that can be read of the file, and a problem for each part that cannot."""
    source = Source(sql)
    zero = source.data.find(b"\x00")
    if zero >= 0:
        return Reading(source, (), (_zero_byte(source, zero),))
    try:
        spans = grammar.split(source.data)
        if len(spans) > STATEMENTS_LIMIT:
            return Reading(source, (), (_too_many(source, spans),))
        found = list(_whole(source, spans))
        problems: list[Problem] = []
    except SyntaxProblem:
        found, problems = _piecewise(source)
    return Reading(
        source,
        tuple(_statement(source, i, *each) for i, each in enumerate(found)),
        tuple(problems),
    )


def _whole(source: Source, spans: list[Span]) -> Iterator[tuple[Node, Span, int]]:
    """(tree, its span in the file, origin of its locations) of each statement."""
    batch: list[Span] = []
    for span in spans:
        if span.length > STATEMENT_LIMIT_BYTES:
            raise SyntaxProblem("too long", span.start)
        if batch and span.start + span.length - batch[0].start > BATCH_BYTES:
            yield from _batch(source, batch)
            batch = []
        batch.append(span)
    if batch:
        yield from _batch(source, batch)


def _batch(source: Source, spans: list[Span]) -> Iterator[tuple[Node, Span, int]]:
    origin, end = spans[0].start, spans[-1].start + spans[-1].length
    for raw, span in zip(grammar.parse(source.data[origin:end]), spans, strict=True):
        yield raw["stmt"], span, origin


def _piecewise(source: Source) -> tuple[list[tuple[Node, Span, int]], list[Problem]]:
    found: list[tuple[Node, Span, int]] = []
    problems: list[Problem] = []
    for piece in islice(pieces(source.data), STATEMENTS_LIMIT):
        if piece.kind != "sql":
            problems.append(_not_sql(source, piece))
        elif len(piece.text) > STATEMENT_LIMIT_BYTES:
            problems.append(_too_long(source, piece))
        else:
            try:
                for raw in grammar.parse(piece.text):
                    start = raw.get("stmt_location", 0)
                    length = raw.get("stmt_len") or len(piece.text) - start
                    found.append((raw["stmt"], Span(piece.start + start, length), piece.start))
            except SyntaxProblem as problem:
                at = piece.start + (problem.offset or 0)
                problems.append(Problem(_plain(problem.message), source.place(at), _hint(piece)))
    return found, problems


def _statement(source: Source, index: int, tree: Node, span: Span, origin: int) -> Statement:
    (tag, node), *_ = tree.items()
    return Statement(
        index=index,
        text=source.slice(span.start, span.length).rstrip(),
        start=span.start,
        place=source.place(span.start),
        tag=tag,
        node=node,
        origin=origin,
    )


def _zero_byte(source: Source, offset: int) -> Problem:
    return Problem(
        "the file holds a zero byte, which no SQL text may",
        source.place(offset),
        "save the file as UTF-8 text (a UTF-16 file is full of zero bytes)",
    )


def _not_sql(source: Source, piece: Piece) -> Problem:
    if piece.kind == "copy-data":
        return Problem(
            "rows behind COPY FROM stdin are psql's, not SQL: no server accepts them in a file",
            source.place(piece.start),
            "write INSERT statements, or load the rows outside the migration",
        )
    command = piece.text.split()[0].decode("utf-8", "replace")
    return Problem(
        f"{command} is a command of psql, not SQL",
        source.place(piece.start),
        "remove it; for \\set and \\i write the value or the statements into this file",
    )


def _too_many(source: Source, spans: list[Span]) -> Problem:
    return Problem(
        f"{len(spans):,} statements; the limit is {STATEMENTS_LIMIT:,}",
        source.place(spans[STATEMENTS_LIMIT].start),
        "cut it into several files, or load the rows outside the migration",
    )


def _too_long(source: Source, piece: Piece) -> Problem:
    return Problem(
        f"one statement of {len(piece.text):,} bytes; the limit is {STATEMENT_LIMIT_BYTES:,}",
        source.place(piece.start),
        "cut it into several statements, or load the rows outside the migration",
    )


def _plain(message: str) -> str:
    first = message.splitlines()[0]
    return first if len(first) <= 200 else first[:197] + "..."


def _hint(piece: Piece) -> str:
    text = piece.text
    if b"\xef\xbb\xbf" in text or b"\xc2\xa0" in text or b"\xe2\x80" in text:
        return "look for typographic quotes, dashes or blanks that only look like ASCII"
    return "PostgreSQL's own grammar refuses it: mend the statement"

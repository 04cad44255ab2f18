"""Why a part of a file cannot be read as SQL, in words."""

from __future__ import annotations

from dataclasses import dataclass

from shared.sql.grammar import SyntaxProblem
from shared.sql.pieces import Piece
from shared.sql.source import Place, Source


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of the file cannot be read as SQL."""

    message: str
    place: Place
    remedy: str = ""


def zero_byte(source: Source, offset: int) -> Problem:
    return Problem(
        "the file holds a zero byte, which no SQL text may",
        source.place(offset),
        "save the file as UTF-8 text (a UTF-16 file is full of zero bytes)",
    )


def not_sql(source: Source, piece: Piece) -> Problem:
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


def too_many(source: Source, count: int, beyond: int, limit: int) -> Problem:
    return Problem(
        f"{count:,} statements; the limit is {limit:,}",
        source.place(beyond),
        "cut it into several files, or load the rows outside the migration",
    )


def too_long(source: Source, piece: Piece, limit: int) -> Problem:
    return Problem(
        f"one statement of {len(piece.text):,} bytes; the limit is {limit:,}",
        source.place(piece.start),
        "cut it into several statements, or load the rows outside the migration",
    )


def refused(source: Source, piece: Piece, problem: SyntaxProblem) -> Problem:
    """What the grammar says of a piece."""
    at = piece.start + (problem.offset or 0)
    return Problem(_plain(problem.message), source.place(at), _hint(piece))


def _plain(message: str) -> str:
    first = message.splitlines()[0]
    return first if len(first) <= 200 else first[:197] + "..."


def _hint(piece: Piece) -> str:
    text = piece.text
    if b"\xef\xbb\xbf" in text or b"\xc2\xa0" in text or b"\xe2\x80" in text:
        return "look for typographic quotes, dashes or blanks that only look like ASCII"
    return "PostgreSQL's own grammar refuses it: mend the statement"

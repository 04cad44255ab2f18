"""Cut a file that does not parse as a whole, so that one bad statement does not hide the others.

Knows strings, quoted names, dollar quotes, nested comments and BEGIN ATOMIC bodies; names what is
not SQL: psql's backslash commands and the rows behind COPY .. FROM stdin.
Source: PostgreSQL manual, "Lexical Structure"; psql's own rule for BEGIN ATOMIC (psqlscan.l).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PieceKind = Literal["sql", "meta-command", "copy-data"]


@dataclass(slots=True)
class Piece:
    kind: PieceKind
    start: int
    """Byte offset."""
    text: bytes


_TOKEN = re.compile(
    rb"""(?P<comment>--[^\n\r]*)
    |(?P<block>/\*)
    |(?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
    |(?P<string>'[^']*(?:'|\Z))
    |(?P<name>"[^"]*(?:"|\Z))
    |(?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$)
    |(?P<word>[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*)
    |(?P<end>;)
    |(?P<backslash>\\[^\n]*)
    |(?P<paren>[()])""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_FROM_STDIN = re.compile(rb"\s*copy\b.*\bfrom\s+(?:stdin|pstdin)\b", re.IGNORECASE | re.DOTALL)
_ROUTINE = (b"FUNCTION", b"PROCEDURE")


def pieces(data: bytes) -> Iterator[Piece]:
    """The file's statements in order, without their `;`, and what else stands between them."""
    start, at = 0, 0
    words: list[bytes] = []
    depth = parens = 0
    while match := _TOKEN.search(data, at):
        at = match.end()
        kind = match.lastgroup
        if kind == "block":
            at = _after_comment(data, at)
        elif kind == "dollar":
            at = _after_dollar(data, match.group(), at)
        elif kind == "paren":
            parens = max(0, parens + (1 if match.group() == b"(" else -1))
        elif kind == "word":
            word = match.group().upper()
            depth = _body_depth(words, word, depth)
            words = [*words[-7:], word] if len(words) >= 8 else [*words, word]
        elif kind == "backslash":
            yield from _sql(data, start, match.start())
            yield Piece("meta-command", match.start(), match.group().rstrip())
            start, words, depth, parens = at, [], 0, 0
        elif kind == "end" and depth == 0 and parens == 0:
            yield from _sql(data, start, match.start())
            if _FROM_STDIN.match(_bare(data[start : match.start()])):
                rows, at = _copy_rows(data, at)
                if rows is not None:
                    yield rows
            start, words = at, []
    yield from _sql(data, start, len(data))


def names_written(text: str) -> Iterator[str]:
    """Names and words of a statement, without what stands in its strings, comments and bodies."""
    data, at = text.encode("utf-8", "surrogatepass"), 0
    while match := _TOKEN.search(data, at):
        at = match.end()
        kind = match.lastgroup
        if kind == "block":
            at = _after_comment(data, at)
        elif kind == "dollar":
            at = _after_dollar(data, match.group(), at)
        elif kind in ("word", "name"):
            yield match.group().decode("utf-8", "replace").strip('"')


def _body_depth(words: list[bytes], word: bytes, depth: int) -> int:
    """How deep inside BEGIN ATOMIC .. END we are after `word`."""
    if depth == 0:
        starts = bool(words) and words[-1] == b"BEGIN" and word == b"ATOMIC"
        return 1 if starts and any(w in _ROUTINE for w in words) else 0
    if word in (b"BEGIN", b"CASE"):
        return depth + 1
    return depth - 1 if word == b"END" else depth


def _sql(data: bytes, start: int, end: int) -> Iterator[Piece]:
    bare = _bare(data[start:end])
    if bare.strip():
        yield Piece("sql", end - len(bare), bare)


def _bare(text: bytes) -> bytes:
    """Without the blanks and comments in front."""
    at = 0
    while True:
        while at < len(text) and text[at : at + 1].isspace():
            at += 1
        if text.startswith(b"--", at):
            end = text.find(b"\n", at)
            at = len(text) if end < 0 else end + 1
        elif text.startswith(b"/*", at):
            end = _after_comment(text, at + 2)
            if end == len(text) and not text.endswith(b"*/"):
                return text[at:]
            at = end
        else:
            return text[at:]


def _after_comment(data: bytes, at: int) -> int:
    depth = 1
    while match := _COMMENT_EDGE.search(data, at):
        at = match.end()
        depth += 1 if match.group() == b"/*" else -1
        if depth == 0:
            return at
    return len(data)


def _after_dollar(data: bytes, tag: bytes, at: int) -> int:
    end = data.find(tag, at)
    return len(data) if end < 0 else end + len(tag)


def _copy_rows(data: bytes, at: int) -> tuple[Piece | None, int]:
    """The rows behind COPY .. FROM stdin, up to `\\.` or the end of the file."""
    newline = data.find(b"\n", at)
    if newline < 0 or not data[newline:].strip():
        return None, at
    end = re.compile(rb"^\\\.[ \t]*\r?$", re.MULTILINE).search(data, newline + 1)
    stop = end.end() if end else len(data)
    return Piece("copy-data", newline + 1, data[newline + 1 : stop]), stop

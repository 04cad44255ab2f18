"""`-- bluegreen: ..` comments: what the author tells the migrator, parsed or refused with a place.

    -- bluegreen: no-transaction
    -- bluegreen: down products.price = round(price * 100)
    -- bluegreen: at-cutover                                  (before a statement)
    -- bluegreen: batch table=orders key=id size=5000         (before an UPDATE or DELETE)
    -- bluegreen: allow drop-column the column is unused since May

Only a comment on a line of its own counts, outside strings and dollar quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from shared.sql import grammar
from shared.sql.batches import NoBatchesError, batched
from shared.sql.grammar import SyntaxProblem
from shared.sql.parse import Reading, Statement, read
from shared.sql.source import Place
from shared.sql.unreadable import Problem


@dataclass(frozen=True, slots=True)
class NoTransaction:
    """The file's statements run one by one, none in a transaction block."""

    place: Place


@dataclass(frozen=True, slots=True)
class Down:
    """The old value of a column as an expression over the new table's row."""

    place: Place
    schema: str | None
    table: str
    column: str
    expression: str


@dataclass(frozen=True, slots=True)
class AtCutover:
    """The statement that follows runs inside the cutover's pause."""

    place: Place
    statement: int
    """Index of the statement."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The UPDATE or DELETE that follows runs in batches along a key."""

    place: Place
    statement: int
    table: str
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Allow:
    """A rule's finding is accepted for the statement that follows; without one, for the file."""

    place: Place
    rule: str
    reason: str
    statement: int | None


Directive: TypeAlias = NoTransaction | Down | AtCutover | Batch | Allow


@dataclass(frozen=True, slots=True)
class Directives:
    all: tuple[Directive, ...]
    problems: tuple[Problem, ...]

    @property
    def no_transaction(self) -> bool:
        return any(isinstance(each, NoTransaction) for each in self.all)

    @property
    def downs(self) -> tuple[Down, ...]:
        return tuple(each for each in self.all if isinstance(each, Down))

    @property
    def at_cutover(self) -> frozenset[int]:
        """Indexes of the statements that run inside the pause."""
        return frozenset(each.statement for each in self.all if isinstance(each, AtCutover))

    @property
    def batches(self) -> dict[int, Batch]:
        return {each.statement: each for each in self.all if isinstance(each, Batch)}

    @property
    def allowed(self) -> tuple[Allow, ...]:
        return tuple(each for each in self.all if isinstance(each, Allow))


_LINE = re.compile(
    rb"^[ \t]*--[ \t]*bluegreen[ \t]*:(?P<body>[^\r\n]*)", re.MULTILINE | re.IGNORECASE
)
_BEHIND = re.compile(rb";[ \t]*(?P<directive>--[ \t]*bluegreen[ \t]*:)", re.IGNORECASE)
_DOWN = re.compile(r'(?P<target>(?:"[^"]*"|[^\s="])+)\s*=\s*(?P<expression>.+)', re.DOTALL)
_PAIR = re.compile(r"(\w+)=(\S+)")
_RULE = re.compile(r"[a-z][a-z0-9-]*")


class _Bad(Exception):
    pass


def directives(sql: str, reading: Reading | None = None) -> Directives:
    """All directives of a file in order; `reading` spares parsing it a second time."""
    reading = reading or read(sql)
    found: list[Directive] = []
    problems: list[Problem] = []
    for offset, body in _bodies(reading):
        place = reading.source.place(offset)
        name, _, rest = body.partition(" ")
        parser = _PARSERS.get(name)
        try:
            if parser is None:
                raise _Bad(f"expected one of {', '.join(_PARSERS)}, found {name or 'nothing'}")
            found.append(parser(place, rest.strip(), _following(reading, offset)))
        except _Bad as bad:
            problems.append(Problem(f"directive: {bad}", place, "see `docs/directives.md`"))
    problems += [
        Problem(
            "directive: expected on a line of its own, found behind a statement",
            reading.source.place(offset),
            "put it on a line before the statement",
        )
        for offset in _behind_statements(reading)
    ]
    return Directives(tuple(found), tuple(problems))


def _bodies(reading: Reading) -> Iterator[tuple[int, str]]:
    """Byte offset and text behind the colon of each directive that stands outside a statement."""
    data = reading.source.data
    if b"bluegreen" not in reading.source.lowered:
        return
    inside = [(s.start, s.start + len(s.text.encode())) for s in reading.statements]
    for match in _LINE.finditer(data):
        dashes = data.index(b"--", match.start())
        if not any(start <= dashes < end for start, end in inside):
            yield dashes, match["body"].decode("utf-8", "replace").strip()


def _behind_statements(reading: Reading) -> Iterator[int]:
    """Byte offset of each that shares the last line of a statement."""
    found = list(_BEHIND.finditer(reading.source.data))
    if not found:
        return
    ends = {s.start + len(s.text.encode()) for s in reading.statements}
    for match in found:
        if match.start() in ends:
            yield match.start("directive")


def _following(reading: Reading, offset: int) -> Statement | None:
    return next((s for s in reading.statements if s.start > offset), None)


def _no_transaction(place: Place, rest: str, _: Statement | None) -> Directive:
    if rest:
        raise _Bad(f"no-transaction takes nothing, found {rest!r}")
    return NoTransaction(place)


def _down(place: Place, rest: str, _: Statement | None) -> Directive:
    match = _DOWN.fullmatch(rest)
    if match is None:
        raise _Bad("expected down TABLE.COLUMN = EXPRESSION")
    names = _names(match["target"])
    if len(names) not in (2, 3):
        raise _Bad(f"expected TABLE.COLUMN or SCHEMA.TABLE.COLUMN, found {match['target']}")
    expression = match["expression"].strip().removesuffix(";")
    _check_expression(expression)
    schema = names[0] if len(names) == 3 else None
    return Down(place, schema, names[-2], names[-1], expression)


def _names(text: str) -> list[str]:
    """`app."My Table".c` as its parts, folded as SQL folds them."""
    try:
        tree = grammar.parse(f"SELECT {text}".encode())
        (target,) = tree[0]["stmt"]["SelectStmt"]["targetList"]
        fields = target["ResTarget"]["val"]["ColumnRef"]["fields"]
        return [field["String"]["sval"] for field in fields]
    except (SyntaxProblem, KeyError, ValueError, IndexError):
        raise _Bad(f"expected a column's name, found {text}") from None


def _check_expression(expression: str) -> None:
    try:
        trees = grammar.parse(f"SELECT {expression}".encode())
    except SyntaxProblem as problem:
        raise _Bad(f"the expression {expression!r}: {problem.message}") from None
    select = trees[0]["stmt"].get("SelectStmt", {}) if len(trees) == 1 else {}
    targets = select.get("targetList", ())
    plain = set(select) <= {"targetList", "limitOption", "op"}
    if len(targets) != 1 or not plain or "name" in targets[0]["ResTarget"]:
        raise _Bad(f"expected one expression, found {expression!r}")


def _at_cutover(place: Place, rest: str, statement: Statement | None) -> Directive:
    if rest:
        raise _Bad(f"at-cutover takes nothing, found {rest!r}")
    if statement is None:
        raise _Bad("at-cutover stands before a statement; none follows")
    return AtCutover(place, statement.index)


def _batch(place: Place, rest: str, statement: Statement | None) -> Directive:
    if statement is None or statement.tag not in ("UpdateStmt", "DeleteStmt"):
        raise _Bad("batch stands before an UPDATE or DELETE; none follows")
    given = dict(_PAIR.findall(rest))
    if set(given) != {"table", "key", "size"} or _PAIR.sub("", rest).strip():
        raise _Bad(f"expected batch table=T key=K size=N, found {rest or 'nothing'}")
    if not given["size"].isdigit() or not 1 <= int(given["size"]) <= 1_000_000:
        raise _Bad(f"expected a size from 1 to 1000000, found {given['size']}")
    found = Batch(place, statement.index, given["table"], given["key"], int(given["size"]))
    try:
        batched(statement.tag, statement.text, statement.node, table=found.table, key=found.key)
    except NoBatchesError as error:
        raise _Bad(f"batch: {error}") from None
    return found


def _allow(place: Place, rest: str, statement: Statement | None) -> Directive:
    rule, _, reason = rest.partition(" ")
    if not _RULE.fullmatch(rule):
        raise _Bad(f"expected allow RULE REASON, found {rest or 'nothing'}")
    if not reason.strip():
        raise _Bad(f"allow {rule} needs a reason: say why this is acceptable here")
    return Allow(place, rule, reason.strip(), statement.index if statement else None)


_PARSERS: dict[str, Callable[[Place, str, Statement | None], Directive]] = {
    "no-transaction": _no_transaction,
    "down": _down,
    "at-cutover": _at_cutover,
    "batch": _batch,
    "allow": _allow,
}

"""A report in a terminal: each finding with its line, a caret under its place, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from producer.marks import Level, Mark, Validated, marks, source_line
from shared.sql.observation import Observation

if TYPE_CHECKING:
    from shared.mapping.readiness import Readiness

_COLOURS: dict[Level, str] = {"error": "31", "warning": "33", "note": "36"}
_WIDTH = 100


def text(each: Validated, *, colour: bool) -> Iterator[str]:
    report = each.report
    for mark in marks(report):
        yield from _mark(each, mark, colour=colour)
    needs = f"needs {report.migration_type}, risk {report.risk_level}"
    verdict = "valid" if report.is_valid else "refused"
    count = f"{len(report.operations)} operation{'s' if len(report.operations) != 1 else ''}"
    yield _painted(f"{report.file}: {verdict}, {count}, {needs}", "1", colour=colour)
    for table, mode in report.locks.items():
        waits = _waits(report.blocks_reads_of, report.blocks_writes_of, table)
        yield f"  {table}: {mode}{waits}"
    if len(report.plan) > 1:
        yield f"  runs in {len(report.plan)} parts"
    for unseen in report.not_seen:
        yield f"  not seen: {unseen}"
    yield from each.lines


def readiness_lines(found: Readiness) -> Iterator[str]:
    """What a risky migration does with each statement, then the mapping."""
    yield f"  as a risky migration ({found.seen_by}):"
    for change in found.changes:
        if change.way != "unchanged":
            remedy = f"; {change.remedy}" if change.remedy else ""
            yield f"    line {change.line}: {change.way}: {change.what}{remedy}"
    yield from (f"    {sentence}" for sentence in found.mapping)
    yield from (f"    not seen: {unseen}" for unseen in found.not_seen)


def trace_lines(observation: Observation) -> Iterator[str]:
    """What was seen of each statement, one line each."""
    yield f"  trace on PostgreSQL {observation.server_version}:"
    for seen in observation.statements:
        if not (seen.locks or seen.rewrites or seen.error):
            continue
        facts = [f"{name} {mode}" for name, mode in seen.locks.items()]
        facts += [f"{name} is copied" for name in seen.rewrites]
        facts += [seen.error] if seen.error else []
        yield f"    line {seen.line}, {seen.milliseconds:.1f} ms: {'; '.join(facts)}"
    for unseen in observation.not_seen:
        yield f"    not seen: {unseen}"


def _waits(reads: tuple[str, ...], writes: tuple[str, ...], table: str) -> str:
    if table in reads:
        return ", readers and writers wait for work that grows with it"
    return ", writers wait for work that grows with it" if table in writes else ""


def _mark(each: Validated, mark: Mark, *, colour: bool) -> Iterator[str]:
    level = _painted(mark.level, _COLOURS[mark.level], colour=colour)
    place = f"{each.report.file}:{mark.line}:{mark.column}"
    yield f"{place}: {level}: {mark.message} [{mark.rule}]"
    line, start = source_line(each, mark), max(0, mark.column - _WIDTH // 2)
    shown = line[start : start + _WIDTH].replace("\t", " ")
    if shown.strip():
        caret = _painted("^", _COLOURS[mark.level], colour=colour)
        yield f"    {shown}"
        yield f"    {' ' * (mark.column - 1 - start)}{caret}"
    if mark.allowed:
        yield f"    accepted: {mark.allowed}"
    elif mark.remedy:
        yield f"    {mark.remedy}"
    if mark.rewrite and not mark.allowed:
        yield "    instead:"
        yield from (f"        {each_line}" for each_line in _formatted(mark.rewrite))


def _formatted(sql: str) -> list[str]:
    import sqlparse

    found: str = sqlparse.format(sql, keyword_case="upper", strip_whitespace=False)
    return found.splitlines()


def _painted(words: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{words}\x1b[0m" if colour else words

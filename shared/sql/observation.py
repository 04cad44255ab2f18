"""What a server really did with a file, and where that differs from what was said beforehand.

An observation is made by running the file on a throw-away copy of the schema
(shared/adapters/trace). Static and observed facts have the same names and meanings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.sql.locks import Lock
from shared.sql.report import Report

Fact = Literal["valid", "locks", "rewritesTables", "blocksReadsOf", "blocksWritesOf"]
MODES = {mode.wire: mode for mode in Lock}
DATA_ERRORS = ("22", "23")
"""SQLSTATE classes of rows that do not fit: no schema can know."""


@dataclass(frozen=True, slots=True)
class SeenStatement:
    """One statement as it ran. Relations are those that were there before the file."""

    index: int
    line: int
    column: int
    statement: str
    milliseconds: float
    locks: dict[str, str] = field(default_factory=dict)
    """Relation -> strongest mode, as pg_locks names it."""
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    changes: dict[str, int] = field(default_factory=dict)
    """Relation -> rows updated and deleted."""
    blocks_reads_of: tuple[str, ...] = ()
    """Relations that a second session could not read while work was done that grows."""
    blocks_writes_of: tuple[str, ...] = ()
    error: str = ""
    sqlstate: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    server_version: str
    statements: tuple[SeenStatement, ...]
    """In order, up to the first that failed."""
    not_seen: tuple[str, ...] = ()
    unwatched: frozenset[str] = frozenset()
    """Relations whose locks could not be seen: nothing is said of them."""

    @property
    def failed(self) -> SeenStatement | None:
        return next((each for each in self.statements if each.error), None)

    @property
    def locks(self) -> dict[str, str]:
        """Strongest mode on each relation over the whole file."""
        found: dict[str, Lock] = {}
        for each in self.statements:
            for name, mode in each.locks.items():
                found[name] = max(MODES[mode], found.get(name, MODES[mode]))
        return {name: mode.wire for name, mode in sorted(found.items())}

    def names(self, fact: Literal["rewrites", "blocks_reads_of", "blocks_writes_of"]) -> list[str]:
        """Sorted names over all statements."""
        return sorted({name for each in self.statements for name in getattr(each, fact)})


@dataclass(frozen=True, slots=True)
class Disagreement:
    fact: Fact
    line: int
    said: str
    """What the static answer was."""
    seen: str
    """What the server did."""


@dataclass(frozen=True, slots=True)
class Traced:
    """An observation beside what was said before it."""

    observation: Observation
    disagreements: tuple[Disagreement, ...]

    def as_json(self) -> dict[str, Any]:
        """The key `trace` of a report."""
        return {
            "serverVersion": self.observation.server_version,
            "statements": [_statement(each) for each in self.observation.statements],
            "disagreements": [
                {"fact": d.fact, "line": d.line, "said": d.said, "seen": d.seen}
                for d in self.disagreements
            ],
            "notSeen": list(self.observation.not_seen),
        }


def disagreements(report: Report, observation: Observation) -> tuple[Disagreement, ...]:
    """Every difference; none where the file failed as it was said to, or on its rows."""
    failed = observation.failed
    said = [error for error in report.errors if error.kind not in ("forbidden", "type")]
    if failed is not None:
        if said or failed.sqlstate.startswith(DATA_ERRORS):
            return ()
        return (Disagreement("valid", failed.line, "runs to its end", failed.error),)
    if said:
        return (Disagreement("valid", said[0].line, said[0].message, "runs to its end"),)
    return tuple(_differences(report, observation))


def _differences(report: Report, observation: Observation) -> Iterator[Disagreement]:
    seen = observation.locks
    for name in sorted(report.locks.keys() | seen.keys()):
        static, real = report.locks.get(name, "no lock"), seen.get(name, "no lock")
        if static != real and name not in observation.unwatched:
            line = _line(observation, lambda s, n=name, m=real: s.locks.get(n, "no lock") == m)
            yield Disagreement("locks", line, f"{name}: {static}", f"{name}: {real}")
    pairs: tuple[tuple[Fact, tuple[str, ...], list[str], str], ...] = (
        ("rewritesTables", report.rewrites_tables, observation.names("rewrites"), "rewrites"),
        ("blocksReadsOf", report.blocks_reads_of, observation.names("blocks_reads_of"),
         "blocks_reads_of"),
        ("blocksWritesOf", report.blocks_writes_of, observation.names("blocks_writes_of"),
         "blocks_writes_of"),
    )  # fmt: skip
    for fact, static_names, names, attribute in pairs:
        for name in sorted(set(static_names) ^ set(names)):
            line = _line(observation, lambda s, n=name, a=attribute: n in getattr(s, a))
            words = (name, f"not {name}") if name in static_names else (f"not {name}", name)
            yield Disagreement(fact, line, *words)


def _line(observation: Observation, wanted: Any) -> int:
    """Where it was seen first; the file's first statement when it was not."""
    found = next((s.line for s in observation.statements if wanted(s)), None)
    return found or next((s.line for s in observation.statements), 1)


def _statement(each: SeenStatement) -> dict[str, Any]:
    found: dict[str, Any] = {
        "line": each.line,
        "column": each.column,
        "statement": each.statement,
        "milliseconds": round(each.milliseconds, 3),
        "locks": each.locks,
        "rewrites": list(each.rewrites),
        "scans": list(each.scans),
        "blocksReadsOf": list(each.blocks_reads_of),
        "blocksWritesOf": list(each.blocks_writes_of),
    }
    if each.error:
        found |= {"error": each.error, "sqlstate": each.sqlstate}
    return found

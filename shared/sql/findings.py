"""What is found in a file, and where it stands: problems, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from shared.sql.body_place import line_of_body
from shared.sql.source import Place, Source
from shared.sql.step import Step

ErrorKind = Literal[
    "syntax", "transaction", "version", "extension", "catalog", "forbidden", "type", "directive"
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the file cannot run, or may not."""

    kind: ErrorKind
    message: str
    place: Place
    remedy: str = ""


@dataclass(slots=True, kw_only=True)
class Findings:
    source: Source
    problems: list[Problem] = field(default_factory=list)
    said: set[Problem] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)
    """What could not be seen, for the report: without a schema, inside EXECUTE, .."""
    step: Step | None = None
    body_depth: int = 0
    """How deep inside function bodies and DO blocks we are."""
    body_line: int = 0
    """The line of the statement's body at which findings stand; 0 outside of one."""
    running: list[str] = field(default_factory=list)
    """Routines whose bodies are being followed, so that recursion ends."""
    building: bool = False
    """A schema file builds the catalog: what it makes is old, not new."""

    def error(
        self, kind: ErrorKind, message: str, *, at: int | None = None, remedy: str = ""
    ) -> None:
        """`at` is a `location` of the statement's tree; None means its start."""
        if self.building:
            return
        problem = Problem(kind, message, self.place(at), remedy)
        if problem not in self.said:
            self.said.add(problem)
            self.problems.append(problem)

    def place(self, at: int | None = None) -> Place:
        if self.step is None:
            return Place(1, 1)
        statement = self.step.statement
        if self.body_line:
            return line_of_body(self.source, statement, self.body_line)
        return statement.place if at is None else self.source.place(statement.origin + at)

    def cannot_see(self, what: str) -> None:
        if what not in self.unseen:
            self.unseen.append(what)

    @contextmanager
    def in_body(self, line: int) -> Iterator[None]:
        """Findings meanwhile stand at that line of the body of the statement that is looked at."""
        before = self.body_line
        if not before and not self.running:
            self.body_line = line
        self.body_depth += 1
        try:
            yield
        finally:
            self.body_depth -= 1
            self.body_line = before

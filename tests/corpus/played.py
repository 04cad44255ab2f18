"""What one job found: problems by case, and those of nobody in particular."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.corpus.case import Case


@dataclass
class Played:
    version: int
    cases: Sequence[Case]
    problems: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def blame(self, case: Case, what: str) -> None:
        self.problems.setdefault(case.name, []).append(what)

    def broke_down(self, error: BaseException, words: str) -> None:
        """The job did not come to its end: the cases that the error names are to blame, the others
        were not seen to pass either. `words`: what the servers' logs said last."""
        text = f"{type(error).__name__}: {error}"
        for case in self._named(text) or self._named(words):
            self.blame(case, f"{text}; {words}")
        self.general.append(f"{text}; {words}")

    def note_switch(self, window_ms: float) -> None:
        windows = self.facts.setdefault("windowsMs", [])
        assert isinstance(windows, list)
        windows.append(window_ms)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - began, 2)

    @property
    def is_sound(self) -> bool:
        """Nobody has anything to say against it."""
        return not self.general and not self.problems

    def _named(self, text: str) -> list[Case]:
        found = [case for case in self.cases if re.search(rf"\b{case.name}\b", text)]
        if found:
            return found
        lines = [int(number) for number in re.findall(r"(?:line |\.sql:)(\d+)", text)[:1]]
        return [case for line in lines for case in [self._at(line)] if case is not None]

    def _at(self, line: int) -> Case | None:
        """The case whose section of the file holds that line."""
        for case in self.cases:
            line -= case.section().count("\n")
            if line <= 0:
                return case
        return None

"""Where words go: documents to stdout, people's lines to stdout, or to stderr beside a document."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from producer.streams import lost

SCHEMA = 1
"""Version of every JSON document; within one version keys are only added (docs/cli.md)."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one command says, and in which form."""

    as_json: bool

    def say(self, line: str = "") -> None:
        """A line for people; flushed, since whoever watches a pipe wants it now."""
        print(line, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def warn(self, line: str) -> None:
        """A line for people that is never part of what was asked for."""
        print(line, file=sys.stderr, flush=True)

    def document(self, body: Mapping[str, Any]) -> None:
        """The answer for machines, when one was asked for; else nothing."""
        if self.as_json:
            print(json.dumps({"schema": SCHEMA, **body}, default=str), flush=True)

    @property
    def is_heard(self) -> bool:
        """Whether somebody may still read: what only shows things ends with its last reader."""
        return lost() is None

    @property
    def on_terminal(self) -> bool:
        """Whether a person looks at the lines as they come."""
        return (sys.stderr if self.as_json else sys.stdout).isatty()


def error_document(
    message: str, *, code: str, remedy: str, exit_code: int, **place: Any
) -> dict[str, Any]:
    """The one shape of a failure in JSON: `error` with message, remedy, code and exit code."""
    known = {key: value for key, value in place.items() if value is not None}
    return {
        "error": {"message": message, "remedy": remedy, "code": code, **known},
        "exitCode": int(exit_code),
    }


def error_line(message: str, remedy: str = "") -> str:
    """One line: what was wrong, then what to do. Newlines of a server's message are folded."""
    line = " ".join(message.split())
    return f"bluegreen: {line}; {' '.join(remedy.split())}" if remedy else f"bluegreen: {line}"

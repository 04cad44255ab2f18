"""`bluegreen` in a process of its own, as CI calls it: no terminal, a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from producer.cli import run_command

SPOKEN_OF = ("BLUEGREEN_", "DB_")


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def body(self) -> Any:
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line of an error. Fails when there is more, or a traceback."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


@dataclass
class CommandLine:
    folder: Path
    """Where it is called, and where relative files lie."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables beside those of this process that say nothing to `bluegreen`."""

    def __call__(self, *words: str, limit_s: float = 60, **variables: str) -> Answer:
        found = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.clean() | variables,
        )
        return Answer(found.returncode, found.stdout, found.stderr)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "producer", *words]

    def clean(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SPOKEN_OF)}
        return kept | self.environment

    def write(self, name: str, content: str | bytes) -> str:
        """Put a file where the command is called; its name."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return name


@dataclass
class CalledHere(CommandLine):
    """The same command line inside this process: what it says and its exit code are the same."""

    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    capture: pytest.CaptureFixture[str] | None = None

    def __call__(self, *words: str, limit_s: float = 60, **variables: str) -> Answer:
        for name in [name for name in os.environ if name.startswith(SPOKEN_OF)]:
            self.patch.delenv(name)
        for name, value in (self.environment | variables).items():
            self.patch.setenv(name, value)
        self.patch.chdir(self.folder)
        assert self.capture is not None
        code = run_command(list(words))
        return Answer(code, *self.capture.readouterr())

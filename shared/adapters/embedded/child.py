"""How the supervisor is told what its children should do, and tells what they are.

Everything is a small file that appears whole: `plan.json` (who there is), `desired/NAME` (written
by `up` and by the node driver), `status/NAME` (written by the supervisor).
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.adapters.processes import is_alive

Desired = Literal["running", "stopped", "stopped at once"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChildPlan(_Frozen):
    """One child process and how to end it."""

    name: str
    command: tuple[str, ...]
    place: Path
    """Its working directory, below the state directory: by that a left-over is known."""
    run_as: str | None = None
    environment: dict[str, str] = {}
    """Added to a bare environment."""
    inherits_environment: bool = False
    """Agents see what `up` saw (BLUEGREEN_*, proxies); servers do not."""
    stop: signal.Signals = signal.SIGTERM
    stop_at_once: signal.Signals = signal.SIGKILL
    orphaned: signal.Signals = signal.SIGKILL
    """What it gets when the supervisor dies."""
    stop_limit_s: float = 5.0
    gives_way: int = 0
    """Steps of nice(2) by which everyone else gets the processor first."""
    floor: int = 0
    """Stopped from the highest floor down: agents, doors, servers."""


class Plan(_Frozen):
    state_dir: Path
    children: tuple[ChildPlan, ...]


class ChildStatus(_Frozen):
    pid: int | None = None
    started: int | None = None
    """Start time in ticks since boot (shared.adapters.processes)."""
    starts: int = 0
    exit_code: int | None = None
    """Of the last one that ended; negative: the signal."""
    obeys: Desired | None = None
    """What the supervisor read last: only then is a stopped child sure to stay stopped."""

    @property
    def is_running(self) -> bool:
        return self.pid is not None and self.started is not None and is_alive(
            self.pid, self.started
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ControlFiles:
    """The supervisor's directory."""

    directory: Path

    @property
    def plan_file(self) -> Path:
        return self.directory / "plan.json"

    @property
    def pid_file(self) -> Path:
        """Status of the supervisor itself."""
        return self.directory / "supervisor.json"

    @property
    def desired_dir(self) -> Path:
        return self.directory / "desired"

    def create(self) -> None:
        for path in (self.directory, self.desired_dir, self.directory / "status"):
            path.mkdir(exist_ok=True)

    def want(self, name: str, desired: Desired) -> None:
        write_whole(self.desired_dir / name, desired)

    def children(self) -> tuple[str, ...]:
        """Who there is, by name, in the order of the plan."""
        plan = Plan.model_validate_json(self.plan_file.read_bytes())
        return tuple(child.name for child in plan.children)

    def desired(self, name: str) -> Desired:
        """What was asked for last; a child that nobody asked for stays stopped."""
        try:
            found = (self.desired_dir / name).read_text(encoding="utf-8")
        except OSError:
            return "stopped"
        known: dict[str, Desired] = {"running": "running", "stopped at once": "stopped at once"}
        return known.get(found, "stopped")

    def status(self, name: str) -> ChildStatus:
        return _read_status(self.directory / "status" / name)

    def tell(self, name: str, status: ChildStatus) -> None:
        write_whole(self.directory / "status" / name, status.model_dump_json())

    def supervisor(self) -> ChildStatus:
        return _read_status(self.pid_file)


def _read_status(path: Path) -> ChildStatus:
    try:
        return ChildStatus.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return ChildStatus()


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file: a reader sees the old text or the new, never a part."""
    fresh = path.with_name(f".{path.name}.{threading.get_native_id()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)

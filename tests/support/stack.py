"""Real stacks for tests: the fixture `stack` lasts a session, `running_stack()` makes more."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.description import StackDescription
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.stack import down, up
from shared.adapters.processes import processes_of
from shared.settings import Settings, load
from tests.support import two_sides


@dataclass(frozen=True)
class Stack:
    description: StackDescription
    settings: Settings

    @property
    def state_dir(self) -> Path:
        return self.settings.state_dir

    @property
    def doors(self) -> dict[str, str]:
        """What `bluegreen up --json` prints."""
        return self.description.as_json()

    def connect(self, door: str) -> psycopg.Connection:
        """A connection to one of the DSNs of `doors`, in autocommit."""
        return psycopg.connect(self.doors[door], autocommit=True, connect_timeout=3)

    def pid(self, child: str) -> int | None:
        """Process of a child of the supervisor, or of `supervisor` itself; None: not running."""
        control = ControlFiles(Layout(self.state_dir).supervisor)
        status = control.supervisor() if child == "supervisor" else control.status(child)
        return status.pid if status.is_running else None

    def kill(self, child: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal a child by its name; returns the pid that it had."""
        pid = self.pid(child)
        assert pid is not None, f"{child} does not run"
        os.kill(pid, number)
        return pid

    def until_back(self, child: str, killed: int, *, limit_s: float = 60) -> None:
        """Wait until the supervisor runs that child in another process."""
        deadline = time.monotonic() + limit_s
        while self.pid(child) in (None, killed):
            assert time.monotonic() < deadline, f"{child} did not come back"
            time.sleep(0.02)

    def until_answers(self, door: str, *, limit_s: float = 60) -> None:
        """Wait until a connection through that door runs a query."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                with self.connect(door) as connection:
                    connection.execute("SELECT 1")
                return
            except psycopg.Error:
                assert time.monotonic() < deadline, f"{door} did not answer"
                time.sleep(0.05)

    def left_over(self) -> list[str]:
        """Processes, ports and files of this stack: empty after `down`."""
        found = [f"process {pid}" for pid, _ in processes_of(self.state_dir)]
        found += [f"port {port}" for port in self.ports() if _is_listened_on(port)]
        if self.state_dir.exists():
            found.append(f"directory {self.state_dir}")
        return found

    def ports(self) -> list[int]:
        settings = self.settings
        assert settings.flower is not None
        return [
            *(node.port for node in settings.nodes.values()),
            settings.control.port, settings.redis.port, settings.pooler.port,
            settings.doors.pooled_port, settings.doors.direct_port, settings.flower.port,
        ]  # fmt: skip


@contextmanager
def running_stack(version: int | None = None, *, agents: bool = False) -> Iterator[Stack]:
    """A stack of one's own, gone at the end. Without agents it stands in about four seconds."""
    place = Path(tempfile.mkdtemp(prefix="bluegreen-stack-"))
    place.chmod(0o755)  # the servers' user must be able to enter
    try:
        description = up(place, version, agents=False)
        _let_probes_past_the_doors(place)
        if agents:
            description = up(place, version)
        yield Stack(description, load({"BLUEGREEN_STATE_DIR": str(place)}))
    finally:
        if Layout(place).mark.exists():
            down(place)
        shutil.rmtree(place, ignore_errors=True)


def _let_probes_past_the_doors(place: Path) -> None:
    settings = load({"BLUEGREEN_STATE_DIR": str(place)})
    exempt = settings.model_copy(update={"exempt_applications": (two_sides.APPLICATION,)})
    Layout(place).settings.write_text(exempt.model_dump_json(indent=1), encoding="utf-8")


def _is_listened_on(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

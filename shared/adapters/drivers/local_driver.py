"""What needs the host of a node of the embedded stack: NodeDriver over the supervisor's files.

Start and stop are wishes written to `desired/NAME`, which the supervisor obeys: it alone owns the
process, so a worker that dies half way leaves a server that still has an owner.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.adapters.deeds import Deeds
from shared.adapters.drivers.host_load import load_of
from shared.adapters.embedded.accounts import account
from shared.adapters.embedded.child import ChildStatus, ControlFiles, write_whole
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.postgres_conf import Access, access_of, node_hba, setting_lines
from shared.adapters.embedded.postmaster import READY, read_postmaster
from shared.adapters.embedded.ready import until
from shared.adapters.in_slices import in_slices
from shared.adapters.processes import MARK, send, start_time, wait_gone
from shared.adapters.wal_reader import commits_after
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused, Transient
from shared.ports import Commit, DeedState, HostLoad
from shared.settings import NodeSettings, Settings

EMPTY_THEN_RUN = 'find "$1" -mindepth 1 -delete && shift && exec "$@"'
"""pg_basebackup wants an empty directory; emptying a large one takes longer than a step may."""
SIGNAL_FILES = ("standby.signal", "recovery.signal")


@dataclass(frozen=True, slots=True)
class LocalDriver:
    """The driver of one node, for any process of the same user as the supervisor."""

    state_dir: Path
    colour: Colour
    data_dir: Path
    conf_dir: Path
    bin_dir: Path
    run_as: str | None

    @classmethod
    def of(cls, settings: Settings, colour: Colour) -> LocalDriver:
        """Raises Refused when the settings leave out where the node's files are."""
        node: NodeSettings = settings.nodes[colour]
        if node.data_dir is None or node.conf_dir is None or node.bin_dir is None:
            raise Refused(
                f"expected data_dir, conf_dir and bin_dir of {colour}, found some missing",
                remedy="name them in the settings, or choose another driver for this node",
            )
        return cls(settings.state_dir, colour, node.data_dir, node.conf_dir, node.bin_dir,
                   node.run_as)  # fmt: skip

    def is_running(self) -> bool:
        return self._status().is_running

    def start(self, *, limit_s: float) -> None:
        self._control.want(self.colour, "running")
        self._until(self._is_ready, "to start", limit_s)

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None:
        self._control.want(self.colour, "stopped" if mode == "fast" else "stopped at once")
        self._until(self._is_stopped, f"to stop ({mode})", limit_s)

    def reload(self) -> None:
        """SIGHUP to the postmaster; a server that does not run reads its files when it starts."""
        status = self._status()
        if status.is_running and status.pid is not None:
            os.kill(status.pid, signal.SIGHUP)

    def set_access(self, level: Access) -> None:
        self._write("pg_hba.conf", node_hba(self.colour, level))
        self.reload()

    def access(self) -> Access:
        try:
            return access_of((self.conf_dir / "pg_hba.conf").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return "open"

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        self._write("recovery.conf", setting_lines(settings))
        wanted = SIGNAL_FILES[0] if standby else SIGNAL_FILES[1]
        for name in SIGNAL_FILES:
            if name == wanted:
                self._own(self.data_dir / name).touch(mode=0o600)
            else:
                (self.data_dir / name).unlink(missing_ok=True)

    def clear_recovery(self) -> None:
        self._write("recovery.conf", "")
        for name in SIGNAL_FILES:
            (self.data_dir / name).unlink(missing_ok=True)
        self.reload()

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        if self.is_running():
            raise Broken(
                f"expected {self.colour} to be stopped before {program}, found it running; "
                "nothing was begun"
            )
        data, path = str(self.data_dir), str(self.bin_dir / program)
        if program == "pg_rewind":
            conf = str(self.conf_dir / "postgresql.conf")
            command = [path, "--target-pgdata", data, "--config-file", conf, *args]
        elif program == "pg_basebackup":
            backup = [path, "--pgdata", data, *args]
            command = ["/bin/sh", "-c", EMPTY_THEN_RUN, program, data, *backup]
        else:
            raise Broken(f"expected pg_rewind or pg_basebackup, found {program}")
        if self._deeds.look(name).state != "running":
            self.clear_recovery()
        mark = {MARK: str(self.state_dir)}  # by which `down` finds it
        gently = in_slices(self.data_dir, command)
        self._deeds.start(name, gently, run_as=self.run_as, environment=mark)

    def look_at_deed(self, name: str) -> DeedState:
        return self._deeds.look(name)

    def forget_deed(self, name: str) -> None:
        self._deeds.forget(name)

    def free_disk_bytes(self) -> int:
        return shutil.disk_usage(self.data_dir).free

    def load(self) -> HostLoad:
        status = self._status()
        try:
            if not status.is_running or status.pid is None:
                raise FileNotFoundError
            return load_of(status.pid)
        except (OSError, ValueError, IndexError) as error:
            raise Transient(f"expected {self.colour} to run, found no process of it") from error

    def end(self, *, limit_s: float) -> None:
        """The postmaster is killed when it does not go; its children may outlive it, frozen ones
        for ever, and a commit of such a one would be acknowledged after the standby took over."""
        self._control.want(self.colour, "stopped at once")
        self._until(self._is_stopped, "to end", limit_s)
        left = _working_in(self.data_dir)
        for pid, started in left:
            send(pid, started, signal.SIGKILL)
        if not wait_gone(left, limit_s=limit_s):
            raise Transient(f"expected no process of {self.colour} to be left, found some")

    def commits_after(self, lsn: str) -> Sequence[Commit] | None:
        return commits_after(self.data_dir, self.bin_dir, self.run_as, lsn)

    def restore_command(self) -> str:
        return f'cp "{self.data_dir}/pg_wal/%f" "%p"'

    @property
    def _control(self) -> ControlFiles:
        return ControlFiles(Layout(self.state_dir).supervisor)

    @property
    def _deeds(self) -> Deeds:
        return Deeds(Layout(self.state_dir).deeds / self.colour)

    def _status(self) -> ChildStatus:
        return self._control.status(self.colour)

    def _is_stopped(self) -> bool:
        """And known to stay so: one that was just being started again would not."""
        status = self._status()
        return status.obeys in ("stopped", "stopped at once") and not status.is_running

    def _is_ready(self) -> bool:
        """This very process has written that it accepts connections or is in recovery."""
        status, found = self._status(), read_postmaster(self.data_dir)
        return (
            status.is_running
            and found is not None
            and found.pid == status.pid
            and found.status in READY
        )

    def _until(self, holds: Callable[[], bool], what: str, limit_s: float) -> None:
        if not self._control.supervisor().is_running:
            raise Transient(
                "expected the stack's supervisor to run, found that it does not; "
                "`bluegreen up` starts it again"
            )
        log = Layout(self.state_dir).logs / f"{self.colour}.log"
        until(holds, f"{self.colour} {what}", limit_s=limit_s, log=log)

    def _write(self, name: str, text: str) -> None:
        """A file of the server, whole at once and readable by it."""
        path = self.conf_dir / name
        write_whole(path, text)
        self._own(path)

    def _own(self, path: Path) -> Path:
        if self.run_as is not None:
            path.touch(exist_ok=True)
            account(self.run_as).own(path)
        return path


def _working_in(data_dir: Path) -> list[tuple[int, int]]:
    """Processes of PostgreSQL whose working directory it is, by pid and start time."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                is_there = os.readlink(entry / "cwd") == str(data_dir)
                if is_there and (entry / "comm").read_text().strip() == "postgres":
                    started = start_time(int(entry.name))
                    if started is not None:
                        found.append((int(entry.name), started))
    return found

"""A NodeDriver for tests: `pg_ctl` on private directories, settings outside the data directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.domain.errors import Transient
from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES
from shared.ports import DeedState
from tests.support.cluster import bin_dir, unprivileged

OURS = (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE, "postgres")
HBA: dict[str, tuple[str, ...]] = {
    "open": ("local all all trust", "host all all 127.0.0.1/32 trust"),
    "closed": tuple(
        f"{kind} {database} {','.join(OURS)} {address} trust"
        for kind, address in (("local", ""), ("host", "127.0.0.1/32"))
        for database in ("all", "replication")
    ),
}
REPLICATION = ("local replication all trust", "host replication all 127.0.0.1/32 trust")


@dataclass(frozen=True)
class PgCtlDriver:
    """Keeps every promise of the port for one server under `root`: data, conf and deeds."""

    root: Path
    version: int
    port: int

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    def is_running(self) -> bool:
        return self._pg_ctl("status").returncode == 0

    def start(self, *, limit_s: float) -> None:
        if self.is_running():
            return
        options = f"-c config_file={self.conf}/postgresql.conf"
        started = self._pg_ctl(
            "start", "-w", "-t", str(round(limit_s)), "-l", str(self.root / "log"), "-o", options
        )
        if started.returncode != 0:
            raise Transient(f"expected the server in {self.root} to start; see its log")

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None:
        if self.is_running():
            self._pg_ctl("stop", "-w", "-t", str(round(limit_s)), "-m", mode)
        if self.is_running():
            raise Transient(f"expected the server in {self.root} to stop within {limit_s} s")

    def reload(self) -> None:
        if self.is_running():
            self._pg_ctl("reload")

    def set_access(self, level: Literal["open", "closed"]) -> None:
        lines = HBA[level] + (REPLICATION if level == "open" else ())
        self._write("pg_hba.conf", "\n".join((f"# {level}", *lines)))
        self.reload()

    def access(self) -> Literal["open", "closed"]:
        first = (self.conf / "pg_hba.conf").read_text().splitlines()[0]
        return "closed" if first == "# closed" else "open"

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        lines = [f"{name} = '{_quoted(value)}'" for name, value in settings.items()]
        self._write("recovery.conf", "\n".join(lines))
        for name, wanted in (("standby.signal", standby), ("recovery.signal", not standby)):
            path = self.data / name
            if wanted:
                path.touch()
                _hand_over(path)
            else:
                path.unlink(missing_ok=True)

    def clear_recovery(self) -> None:
        self._write("recovery.conf", "")
        self.reload()

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        if self.look_at_deed(name).state == "running":
            return
        self.clear_recovery()
        target = ["--target-pgdata" if program == "pg_rewind" else "--pgdata", str(self.data)]
        if program == "pg_rewind":
            target += ["--config-file", str(self.conf / "postgresql.conf")]
        if program == "pg_basebackup":
            subprocess.run(["find", str(self.data), "-mindepth", "1", "-delete"], check=True)
        with (self.root / f"{name}.log").open("wb") as log:
            script = '"$@"; echo $? > "$0"'
            deed = subprocess.Popen(
                ["sh", "-c", script, str(self.root / f"{name}.rc"),
                 str(bin_dir(self.version) / program), *target, "--no-sync", *args],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.root,
                start_new_session=True, **unprivileged(),
            )  # fmt: skip
        self._record(name).write_text(json.dumps({"pid": deed.pid}))
        deed.returncode = 0  # the record outlives us: Python shall not warn about the child

    def look_at_deed(self, name: str) -> DeedState:
        if not self._record(name).exists():
            return DeedState("absent")
        lines = (self.root / f"{name}.log").read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else ""
        with suppress(FileNotFoundError, ValueError):
            code = int((self.root / f"{name}.rc").read_text())
            return DeedState("succeeded" if code == 0 else "failed", last)
        return DeedState("running", last)

    def forget_deed(self, name: str) -> None:
        if self.look_at_deed(name).state == "running":
            with suppress(ProcessLookupError):
                os.killpg(json.loads(self._record(name).read_text())["pid"], signal.SIGKILL)
        for suffix in ("json", "rc", "log"):
            (self.root / f"{name}.{suffix}").unlink(missing_ok=True)

    def free_disk_bytes(self) -> int:
        found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize

    def kill(self) -> None:
        """What a power cut does to the server: every process at once, nothing written."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.is_running():
            assert time.monotonic() < deadline, (
                f"the server of {self.data} survived SIGKILL for 10 s"
            )
            time.sleep(0.02)

    def _record(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def _write(self, name: str, text: str) -> None:
        path = self.conf / name
        fresh = path.with_suffix(".new")
        fresh.write_text(text + "\n")
        _hand_over(fresh)
        fresh.replace(path)

    def _pg_ctl(self, action: str, *args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [bin_dir(self.version) / "pg_ctl", action, "-D", str(self.data), *args],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, cwd=self.root,
            **unprivileged(),
        )  # fmt: skip


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _hand_over(path: Path) -> None:
    drop = unprivileged()
    if drop:
        os.chown(path, drop["user"], drop["group"])  # type: ignore[arg-type]

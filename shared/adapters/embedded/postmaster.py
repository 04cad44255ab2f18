"""What a PostgreSQL server says about itself in `postmaster.pid`, without asking for a password.

Source: PostgreSQL's pg_ctl reads the same lines: pid, directory, start, port, socket directory,
address, shared memory key and id, status.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

IPC_RMID = 0
READY = ("ready", "standby")
"""Accepts connections; or is in recovery and does not accept them yet."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    pid: int
    status: str
    """`starting`, `stopping`, `ready` or `standby`; empty before the first is written."""
    shared_memory: tuple[int, int] | None
    """System V key and id."""


def read_postmaster(data_dir: Path) -> Postmaster | None:
    """None when the server is not there, or has not written that much yet."""
    try:
        lines = (data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        memory = [int(part) for part in lines[6].split()] if len(lines) > 6 else []
        return Postmaster(
            pid=int(lines[0]),
            status=lines[7].strip() if len(lines) > 7 else "",
            shared_memory=(memory[0], memory[1]) if len(memory) == 2 else None,
        )
    except (OSError, ValueError, IndexError):
        return None


def remove_shared_memory(data_dir: Path) -> None:
    """Free the segment of a server that was killed and will not start again.

    Only the one it named itself, and only while no process is attached to it.
    """
    found = read_postmaster(data_dir)
    if found is None or found.shared_memory is None:
        return
    key, identifier = found.shared_memory
    for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if (int(fields[0]), int(fields[1]), int(fields[6])) == (key, identifier, 0):
            ctypes.CDLL(None).shmctl(identifier, IPC_RMID, None)

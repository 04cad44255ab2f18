"""What a server's processes take of this host, from proc(5).

Measured: 60 processes take 3 ms to read, so a look every four seconds costs a thousandth of a core.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from shared.ports import HostLoad

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024


def load_of(pid: int) -> HostLoad:
    """Of the process and its children. Raises OSError when it is gone."""
    ticks = _ticks(pid, with_ended=True)
    private, shared = _memory(pid)
    for child in _children(pid):
        with suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            ticks += _ticks(child, with_ended=False)
            its_private, its_shared = _memory(child)
            private, shared = private + its_private, max(shared, its_shared)
    host = _lines(Path("/proc/meminfo"))
    return HostLoad(
        cpu_seconds=ticks / _TICKS,
        cores=os.cpu_count() or 1,
        memory_bytes=private + shared,
        memory_available_bytes=host["MemAvailable"],
        memory_total_bytes=host["MemTotal"],
    )


def _ticks(pid: int, *, with_ended: bool) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if with_ended else 13])


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(pid: int) -> tuple[int, int]:
    """Private bytes; bytes of shared memory that it has touched."""
    lines = _lines(Path(f"/proc/{pid}/status"))
    return lines.get("RssAnon", 0), lines.get("RssShmem", 0)


def _lines(path: Path) -> dict[str, int]:
    """The lines `Name: NUMBER kB`, in bytes."""
    found = {}
    for line in path.read_text(errors="replace").splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            found[name] = int(rest[:-3]) * _KIB
    return found

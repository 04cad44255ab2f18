"""Processes by pid and start time: a pid alone may belong to someone else by now (proc(5))."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MARK = "BLUEGREEN_STACK"
"""Environment variable of every process of a stack: the state directory it belongs to."""
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


def start_time(pid: int) -> int | None:
    """When that process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def is_frozen(pid: int) -> bool:
    """Whether that process was stopped (SIGSTOP) or is traced: it has its sockets, and is mute."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in "Tt"


def is_alive(pid: int, started: int) -> bool:
    return start_time(pid) == started


def send(pid: int, started: int, number: signal.Signals) -> None:
    """Signal that very process; one that is gone is fine."""
    if is_alive(pid, started):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_gone(processes: Iterable[tuple[int, int]], *, limit_s: float) -> bool:
    """Whether all of these (pid, start time) are gone within the limit."""
    deadline = time.monotonic() + limit_s
    left = list(processes)
    while left := [process for process in left if is_alive(*process)]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_of(state_dir: Path) -> list[tuple[int, int]]:
    """Every process of the stack in `state_dir`, by (pid, start time), this one left out.

    They work in a directory below it and carry the mark; PostgreSQL's overwrite their environment
    with their title, so those are known by their program. A person's shell there is neither.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if _works_in(entry, state_dir) and _is_marked(entry, state_dir):
                started = start_time(int(entry.name))
                if started is not None:
                    found.append((int(entry.name), started))
    return found


def _works_in(entry: Path, state_dir: Path) -> bool:
    return Path(os.readlink(entry / "cwd").removesuffix(" (deleted)")).is_relative_to(state_dir)


def _is_marked(entry: Path, state_dir: Path) -> bool:
    if (entry / "comm").read_text(encoding="utf-8").strip() == "postgres":
        return True
    mark = f"{MARK}={state_dir}".encode()
    return mark in (entry / "environ").read_bytes().split(b"\0")


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """In a child, before exec: get that signal when the parent dies, also when it already did.

    A change of user clears it (prctl(2)), so it is asked for after that.
    """
    _LIBC.prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def give_way(by: int) -> None:
    """In a child, before exec: others get the processor first, by that many steps of nice(2).

    Where the kernel groups processes by session, a process's own value counts only within its
    group, so the group is told too (sched(7), "The autogroup feature").
    """
    os.nice(by)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(by), encoding="utf-8")


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that it can be reaped."""
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)

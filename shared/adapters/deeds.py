"""Long work in processes of their own: they outlive the worker that began them.

A deed is a directory: `deed.json` (command, user, begun), `pid`, `log`, and `exit` once it ended.
It holds a lock on its directory for as long as any process of it lives, which is how the next
look knows: no number that another process may carry by then, no flag that a crash leaves behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.embedded.accounts import account, process_options
from shared.domain.errors import Broken, Transient
from shared.ports import DeedState

WRAPPER = 'echo $$ > pid; "$@"; code=$?; echo $code > exit.new; mv exit.new exit; exit $code'
"""Writes the exit status whole or not at all; without one, the deed was killed."""
PERCENT = re.compile(r"(\d{1,3})%")
END_LIMIT_S, END_POLL_S = 10.0, 0.01
"""What was killed goes at once, or hangs in the kernel and does not go at all."""
TAIL_BYTES = 4096
_BEGUN: set[int] = set()
"""Children of this process that it has not reaped; until then no one else gets their numbers."""


class Deeds:
    """The deeds below one directory, each under its own name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        run_as: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Begin it; one of that name that still runs is left alone, an ended one is replaced.

        `environment` is added to this process's own. Secrets belong there or in files, never in
        `command`, which every user of the host can read.
        """
        place = self._place(name)
        place.mkdir(parents=True, exist_ok=True)
        lock = _lock(place, fcntl.LOCK_EX, tries=5)
        if lock is None:
            return
        try:
            for old in ("exit", "exit.new", "pid", "log"):
                (place / old).unlink(missing_ok=True)
            record = {"command": list(command), "run_as": run_as, "begun": _now()}
            (place / "deed.json").write_text(json.dumps(record), encoding="utf-8")
            owner = account(run_as) if run_as else None
            if owner is not None:
                owner.own(place)
            with (place / "log").open("wb") as log:
                process = subprocess.Popen(  # type: ignore[call-overload]
                    ["/bin/sh", "-c", WRAPPER, name, *command],
                    cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    pass_fds=(lock,), start_new_session=True,
                    env={**os.environ, **(environment or {})}, **process_options(owner),
                )  # fmt: skip
            process.returncode = 0  # it outlives us: Python shall not warn that it still runs
            _BEGUN.add(process.pid)
        finally:
            os.close(lock)

    def look(self, name: str) -> DeedState:
        place = self._place(name)
        if not (place / "deed.json").exists():
            return DeedState("absent")
        running = self._runs(place)
        last, progress = last_line_and_progress(self._tail(place))
        if running:
            return DeedState("running", last, progress)
        try:
            code = int((place / "exit").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return DeedState("failed", last or "it was killed before it ended", progress)
        return DeedState("succeeded" if code == 0 else "failed", last, progress)

    def forget(self, name: str) -> None:
        """End it if it runs, with all its processes, and remove its record. Absent is fine."""
        place = self._place(name)
        deadline = time.monotonic() + END_LIMIT_S
        while place.exists() and self._runs(place):
            with suppress(OSError, ValueError):
                leader = int((place / "pid").read_text(encoding="utf-8"))
                os.killpg(leader, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise Broken(f"deed {name} did not end within {END_LIMIT_S:.0f} s of SIGKILL")
            time.sleep(END_POLL_S)
        shutil.rmtree(place, ignore_errors=True)

    def names(self) -> list[str]:
        return sorted(record.parent.name for record in self._directory.glob("*/deed.json"))

    def log(self, name: str) -> Path:
        return self._place(name) / "log"

    def _place(self, name: str) -> Path:
        return self._directory / name

    def _runs(self, place: Path) -> bool:
        _reap()
        lock = _lock(place, fcntl.LOCK_SH)
        if lock is None:
            return True
        os.close(lock)
        return False

    def _tail(self, place: Path) -> str:
        """The end of the log."""
        try:
            with (place / "log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""


def last_line_and_progress(text: str) -> tuple[str, float | None]:
    """The last line of a log that says something, and the last percentage as a share of 1.

    Programs that show progress end their lines with `\\r`.
    """
    lines = [line.strip() for line in reversed(re.split(r"[\r\n]", text))]
    percent = next((m for line in lines if (m := PERCENT.search(line))), None)
    last = next((line for line in lines if line), "")
    return last, min(int(percent[1]), 100) / 100 if percent else None


def _lock(place: Path, kind: int, tries: int = 1) -> int | None:
    """A descriptor that holds the lock of that deed; None while the deed's processes hold it.

    Looks share it for a moment, so whoever wants it alone tries more than once.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Transient(f"the record of a deed cannot be read: {error}") from error
    for left in reversed(range(tries)):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if left:
                time.sleep(END_POLL_S)
    os.close(descriptor)
    return None


def _reap() -> None:
    """Leave no zombies of deeds that ended while the process that began them lives on."""
    for pid in tuple(_BEGUN):
        try:
            gone = os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            gone = True
        if gone:
            _BEGUN.discard(pid)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

"""Long work on a rollback point in a process of its own, which outlives the worker's death.

A record directory stands for one deed: `order.json` (what to do), `lock` (held by the process as
long as it lives: the kernel lets go of it at any death), `log`, `progress.json`, `result.json`.
Who finds the lock held adopts the deed; who finds it free and no result knows that it died.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.adapters.point_files import PointFiles
from shared.adapters.point_work import dump_data_part, verify_point
from shared.domain.errors import Broken, MigrationError, Refused, Transient
from shared.ports import DeedState
from shared.settings import Settings

END_LIMIT_S = 10.0
_FAMILIES: dict[str, type[MigrationError]] = {
    kind.family: kind for kind in (Transient, Refused, Broken)
}
_started: dict[Path, subprocess.Popen[bytes]] = {}
"""Deeds that this process began: looked at, so that their end leaves no zombie."""


class Order(BaseModel):
    """What a deed is to do."""

    model_config = ConfigDict(frozen=True)

    deed: Literal["dump", "verify"]
    point: str
    tables: tuple[str, ...] = ()
    settings: Settings
    """Holds names of secret files, no secret."""


def record_of(settings: Settings, point: str, deed: str) -> Path:
    return settings.backup_dir / ".deeds" / f"{point}.{deed}"


def start_or_look(record: Path, order: Order) -> DeedState:
    """Begin the deed unless it runs or has ended; say how it stands.

    Raises what it failed with, or Transient when it died without a word; the record is then
    forgotten, so that the next call begins anew.
    """
    if record.exists():
        return _look(record)
    _start(record, order)
    return DeedState("running", "started", 0.0)


def end(record: Path) -> None:
    """End the deed if it runs, with everything it started, and forget it. Absent is fine."""
    deadline = time.monotonic() + END_LIMIT_S
    while _is_running(record):
        if time.monotonic() > deadline:
            raise Transient(f"the deed in {record} did not end within {END_LIMIT_S:.0f} s")
        with suppress(ProcessLookupError, ValueError, FileNotFoundError):
            os.killpg(int((record / "lock").read_text()), signal.SIGKILL)
        time.sleep(0.02)
    forget(record)


def forget(record: Path) -> None:
    process = _started.pop(record, None)
    if process is not None:
        process.wait(timeout=END_LIMIT_S)
    shutil.rmtree(record, ignore_errors=True)


def end_all(settings: Settings) -> None:
    """End every deed of that backup directory: nothing may outlive the stack."""
    for record in (settings.backup_dir / ".deeds").glob("*"):
        end(record)


def forget_ended(settings: Settings) -> None:
    """Remove the records of deeds that nobody came back to look at."""
    for record in (settings.backup_dir / ".deeds").glob("*"):
        if not _is_running(record):
            forget(record)


def _look(record: Path) -> DeedState:
    if _is_running(record):
        told = _read(record / "progress.json") or {}
        return DeedState("running", told.get("sentence", ""), told.get("progress"))
    result, last_line = _read(record / "result.json"), _last_line(record / "log")
    forget(record)
    if result is None:
        raise Transient(f"{record.name}: the process died ({last_line}); it is begun again")
    if result["family"] is not None:
        family = _FAMILIES[result["family"]]
        raise family(result["message"], remedy=result["remedy"], code=result["code"])
    return DeedState("succeeded", result["message"], 1.0)


def _start(record: Path, order: Order) -> None:
    record.mkdir(parents=True, mode=0o700)
    (record / "order.json").write_text(order.model_dump_json())
    # The lock belongs to the open file, which the process inherits: from its first instant to
    # its last it is held, and no second one can begin.
    with (record / "lock").open("w") as lock, (record / "log").open("wb") as log:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _started[record] = process = subprocess.Popen(
            [sys.executable, "-m", "shared.adapters.backup_deed", str(record)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[lock.fileno()], start_new_session=True,
        )  # fmt: skip
        lock.write(str(process.pid))


def _is_running(record: Path) -> bool:
    try:
        with (record / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return found


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        lines = []
    return next((line for line in reversed(lines) if line), "without a word")


def _write(path: Path, body: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(body))
    partial.replace(path)


def main(arguments: Iterable[str]) -> None:
    """Do what the record orders, and leave a result. The shell of the deed: nothing escapes it."""
    (directory,) = arguments
    record = Path(directory)
    order = Order.model_validate_json((record / "order.json").read_bytes())

    def report(progress: float | None, sentence: str) -> None:
        _write(record / "progress.json", {"progress": progress, "sentence": sentence})

    try:
        sentence = _do(order, report)
    except MigrationError as error:
        body = {"family": error.family, "message": error.message}
        _write(record / "result.json", body | {"remedy": error.remedy, "code": error.code})
    else:
        _write(record / "result.json", {"family": None, "message": sentence})


def _do(order: Order, report: Any) -> str:
    point = PointFiles(order.settings.backup_dir).find(order.point)
    if order.deed == "dump":
        dumped = dump_data_part(order.settings, point, order.tables, report)
        return f"{dumped.rows} rows of {len(dumped.tables)} tables dumped"
    verified = verify_point(order.settings, point, report)
    return f"{verified.rows} rows restored and counted"


if __name__ == "__main__":
    main(sys.argv[1:])

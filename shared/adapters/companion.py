"""A process of our own beside this one: spoken to in JSON lines, and not taken along by our death.

Guarantee   the process learns at once when we die: its input ends
Repeats     each start is another process
Fails with  Transient  it does not start, or does not answer in time
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from shared.domain.errors import Transient

REFILL_S = 20.0
"""The start of a Python process takes a processor for a third of a second: not while whoever gave
the last one back goes on, and clients who were held with it. Behind `finish` the standby is made
meanwhile (measured: both at once held transactions up for 78 ms, apart for 44)."""
START_LIMIT_S = 10.0
"""Of a process that is just being started, which takes a moment; one that comes later than that
finds its input closed with us."""


class Companion:
    """One running process; messages are JSON objects, a line each."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._heard = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def say(self, message: Mapping[str, Any]) -> None:
        """Raises Transient when nobody listens any more."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise Transient(f"{self._module} has ended before its time") from error

    def hear(self, *, limit_s: float) -> dict[str, Any]:
        """The next message. Raises Transient when there is none in time, or the process ended."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._heard:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise Transient(f"expected an answer of {self._module} within {limit_s} s")
            piece = self._process.stdout.read(65536)
            if not piece:
                raise Transient(f"{self._module} has ended before its time")
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def let_go(self) -> None:
        """Close its input and leave it to itself: it ends when its work is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        threading.Thread(target=self._process.wait, daemon=True).start()  # no zombie stays

    def end(self, *, limit_s: float) -> None:
        """Let it end by itself within the limit, else kill it, also when it is frozen."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def companion(module: str) -> Iterator[Companion]:
    """Started at once, and let go at the end, whatever happened; one that was ended stays so."""
    process = Companion(module)
    try:
        yield process
    finally:
        process.let_go()


class SpareCompanion:
    """Companions of one module, of which the next one always stands ready: what takes long is the
    start of a Python process, and that is over before it is asked for."""

    def __init__(self, module: str, *, refill_s: float = REFILL_S) -> None:
        self._module = module
        self._refill_s = refill_s
        self._lock = threading.Lock()
        self._spare: Companion | None = None
        self._refill = threading.Timer(self._refill_s, self.prepare)

    def prepare(self) -> None:
        """Start the spare one; one that stands is left, one that has died is replaced."""
        with self._lock:
            if self._spare is not None and not self._spare.is_alive():
                self._spare.let_go()
                self._spare = None
            self._spare = self._spare or Companion(self._module)

    @contextmanager
    def taken(self) -> Iterator[Companion]:
        """The spare one, let go at the end, whatever happened; another takes its place a little
        later, or when it is asked for."""
        self.prepare()
        with self._lock:
            process, self._spare = self._spare, None
        process = process or Companion(self._module)  # another thread took it in between
        try:
            yield process
        finally:
            process.let_go()
            self._prepare_later()

    def _prepare_later(self) -> None:
        with self._lock:
            self._refill.cancel()
            self._refill = threading.Timer(self._refill_s, self.prepare)
            self._refill.daemon = True
            self._refill.start()

    def end(self) -> None:
        """Let the spare one go, and the one that is just being started with it."""
        with self._lock:
            self._refill.cancel()
            refill = self._refill
        if refill.is_alive():  # it had fired: what it starts is there when it has ended
            refill.join(START_LIMIT_S)
        with self._lock:
            process, self._spare = self._spare, None
        if process is not None:
            process.let_go()

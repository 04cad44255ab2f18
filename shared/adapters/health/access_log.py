"""The proxy's access log: connections that led nowhere, of those of the last seconds.

nginx writes one line a connection when it ends, and at once when its server cannot be reached
(`$status` 502 of ngx_stream_core_module). Its form: shared/adapters/embedded/doors_conf.py.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.health import CheckResult

LED_THROUGH = "200"
WINDOW_S = 12.0
FEW = 2
"""A single lost connection is a client that went away."""
MOST_BYTES = 1 << 20
"""Read of one look; of more, the newest."""


@dataclass
class AccessLogCheck:
    path: Path
    refused_share: float
    _at_byte: int | None = field(init=False, default=None)
    _seen: deque[tuple[float, bool]] = field(init=False, default_factory=deque)
    """When, and whether it led through."""

    def look(self) -> CheckResult:
        now = time.monotonic()
        try:
            self._seen.extend((now, led_through) for led_through in self._new())
        except OSError as error:
            return CheckResult("door.access_log", False, f"{self.path}: {error.strerror}", "info")
        while self._seen and now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        total = len(self._seen)
        refused = sum(not led_through for _, led_through in self._seen)
        return CheckResult(
            "door.access_log",
            refused < max(FEW, self.refused_share * total),
            f"{refused} of {total} connections that ended in {WINDOW_S:.0f} s led nowhere",
            "critical",
            refused,
        )

    def _new(self) -> list[bool]:
        """Of each line that was written since the last look; the first look only finds the end."""
        size = self.path.stat().st_size
        if self._at_byte is None:
            self._at_byte = size
        elif size < self._at_byte:  # it was rotated
            self._at_byte = 0
        with self.path.open("rb") as file:
            file.seek(max(self._at_byte, size - MOST_BYTES))
            body = file.read(MOST_BYTES)
        whole = body[: body.rfind(b"\n") + 1]
        self._at_byte = max(self._at_byte, size - MOST_BYTES) + len(whole)
        return [line.split()[4] == LED_THROUGH for line in whole.decode().splitlines() if
                len(line.split()) > 4]  # fmt: skip

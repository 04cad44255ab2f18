"""The guard of a short pause: `python -m workers.replicator.pause_guard`, told by JSON lines.

It stands ready without a connection until it is asked whether it reaches the pool, and answers once
it does. From then on it resumes the pool when the time it was told is over, or when its input ends
while a pause may be on: then whoever paused is gone. A pool that was narrowed for the pause is made
as wide as before. Otherwise it does nothing, and ends with its input.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from shared.adapters.pooler.poolers import poolers_of
from shared.domain.errors import Transient
from shared.ports import Pooler
from shared.settings import load

GIVE_UP_S = 60.0
BETWEEN_TRIES_S = 0.05


def main() -> None:
    asked = os.read(sys.stdin.fileno(), 4096)
    while asked and b"\n" not in asked:
        asked += os.read(sys.stdin.fileno(), 4096)
    line, _, early = asked.partition(b"\n")
    if not line:
        return  # whoever kept it ready is gone
    with poolers_of(load(os.environ)).opened() as pooler:
        sys.stdout.write('{"ready": true}\n')
        sys.stdout.flush()
        _guard(pooler, early)


def _guard(pooler: Pooler, buffer: bytes) -> None:
    deadline, is_narrow = None, False
    while True:
        left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([sys.stdin], [], [], left_s)[0]:
            _persist(pooler.resume)
            deadline = None
            continue
        piece = os.read(sys.stdin.fileno(), 4096)
        if not piece:
            break
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            told = json.loads(line)
            is_narrow |= "is_narrow" in told
            if "resume_after_s" in told:
                after_s = told["resume_after_s"]
                deadline = None if after_s is None else time.monotonic() + after_s
    if deadline is not None:
        _persist(pooler.resume)
    if is_narrow:
        _persist(pooler.widen)


def _persist(deed: Callable[[], None]) -> None:
    give_up = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up:
        with suppress(Transient):
            deed()
            return
        time.sleep(BETWEEN_TRIES_S)


if __name__ == "__main__":
    main()
    os._exit(0)  # to tidy up would take tens of milliseconds of the clients' processor

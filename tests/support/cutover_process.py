"""A cutover in a process of its own, which signals itself at a named point of its pause.

Run as `python -m tests.support.cutover_process`, with one JSON object on standard input; says one
JSON object: how the attempt ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.processes import start_time
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Transient
from shared.settings import Settings
from tests.support.wait import until
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.carried import Watched
from workers.proxy_agent.companions import WATCHDOG, watchdogs
from workers.proxy_agent.switch import Order, Switch

ENDS_WITHIN_S = 60.0
BEGINS_WITHIN_S = 30.0


@dataclass
class CutoverProcess:
    """The test's end of it."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(
        cls, settings: Settings, order: Order, *, point: str, number: signal.Signals | None
    ) -> CutoverProcess:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.cutover_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        said = {
            "settings": settings.model_dump(mode="json"), "order": asdict(order),
            "point": point, "signal": number,
        }  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(said).encode() + b"\n")
        return cls(process)

    def until_stopped(self) -> None:
        """It reached its point and is frozen there."""
        until(lambda: _state(self.process.pid) == "T", limit_s=ENDS_WITHIN_S, what="it is frozen")

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()

    def watchdogs(self) -> list[int]:
        """Those that live; the keeper of the direct door is no part of a fault."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [
            int(pid)
            for pid in children.read_text().split()
            if start_time(int(pid)) and WATCHDOG in Path(f"/proc/{pid}/cmdline").read_text()
        ]

    def end(self) -> str:
        """`switched`, `gave up: ...`, or `killed`."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        ready, _, _ = select.select([self.process.stdout], [], [], ENDS_WITHIN_S)
        assert ready, "the cutover's process did not end"
        said = self.process.stdout.read()
        self.process.wait(ENDS_WITHIN_S)
        self.process.stdin.close()
        self.process.stdout.close()
        return str(json.loads(said)["end"]) if said else "killed"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def order_of(body: Mapping[str, Any]) -> Order:
    watched = Watched(body["watched"]["files"], tuple(body["watched"]["unlogged"]))
    return Order(
        **{**body, "way": Way(body["way"]), "old": Colour(body["old"]), "watched": watched}
    )


def main() -> None:
    said = json.loads(sys.stdin.readline())
    settings = Settings.model_validate(said["settings"])

    reached: list[str] = []

    def at(point: str) -> None:
        reached.append(point)
        if point == said["point"] and said["signal"] is not None:
            os.kill(os.getpid(), said["signal"])
            time.sleep(0)  # the signal is delivered before the next statement

    switch = Switch(
        addressed_nodes(settings, "bg_proxy"), PgBouncer(settings), SymlinkDoor(settings),
        watchdogs(settings), at,
    )  # fmt: skip
    deadline = time.monotonic() + BEGINS_WITHIN_S
    while True:
        try:
            switch.run(order_of(said["order"]))
            end = "switched"
        except MigrationError as error:
            end = f"gave up: {error.message}"
            missed = said["point"] not in reached
            if missed and isinstance(error, Transient) and time.monotonic() < deadline:
                continue  # a busy host: it gave up before its point, as the step tries again
        break
    print(json.dumps({"end": end}))


if __name__ == "__main__":
    main()

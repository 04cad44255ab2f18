"""Ports of one stack: a block below the ephemeral range, held by whoever owns the stack.

An abstract unix socket named after the block keeps two stacks apart; the kernel drops it with the
process that holds it, so nothing is left to clean up (unix(7)).
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from typing import Self

from shared.domain.errors import Refused

NAMES = ("blue", "green", "control", "redis", "pgbouncer", "pooled", "direct", "flower")
BLOCK = len(NAMES)
LOWEST, HIGHEST = 20_000, 32_000
"""The kernel hands out 32768 and above to outgoing connections, which would take our ports."""
TRIES = 200
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    first: int

    def __getitem__(self, name: str) -> int:
        return self.first + NAMES.index(name)

    def hold(self) -> socket.socket | None:
        """The socket that reserves this block; None when another stack has it."""
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            held.bind(f"\0bluegreen-ports-{self.first}")
        except OSError:
            held.close()
            return None
        return held

    def are_free(self) -> bool:
        return all(_is_free(self[name]) for name in NAMES)

    @classmethod
    def choose(cls) -> tuple[Self, socket.socket]:
        """A free block, and what holds it. Raises Refused when there is none to be found."""
        for _ in range(TRIES):
            ports = cls(random.randrange(LOWEST, HIGHEST, BLOCK))
            held = ports.hold()
            if held is None:
                continue
            if ports.are_free():
                return ports, held
            held.close()
        raise Refused(
            f"expected {BLOCK} free ports in a row between {LOWEST} and {HIGHEST}, found none in "
            f"{TRIES} tries",
            remedy="end what listens there",
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

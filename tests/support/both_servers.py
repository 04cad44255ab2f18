"""What the two servers of a stack hold, past its doors, as the administrator sees it."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

import psycopg

from shared.domain.environment import Colour
from tests.support.residue import residue
from tests.support.stack import Stack


@dataclass(frozen=True)
class BothServers:
    stack: Stack

    def standby(self) -> str:
        """The colour of the side that is in recovery now."""
        return next(side for side in ("blue", "green") if self.is_in_recovery(side))

    def is_in_recovery(self, side: str) -> bool:
        with psycopg.connect(self.stack.doors[side], autocommit=True) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        return bool(row and row[0])

    def once_writable(self, side: str, sql: str, *, within_s: float = 120) -> None:
        """Run a statement on the side that is a standby, as soon as it is none any more."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                with psycopg.connect(self.stack.doors[side], autocommit=True) as connection:
                    connection.execute(sql)
                    return
            except psycopg.Error:
                time.sleep(0.005)
        raise AssertionError(f"{side} did not become writable within {within_s} s")

    def schemas(self) -> dict[str, str]:
        """`pg_dump -s` of both servers, without the lines that differ from run to run."""
        bin_dir = self.stack.settings.nodes[Colour.BLUE].bin_dir
        assert bin_dir is not None
        found = {}
        for side in ("blue", "green"):
            dump = subprocess.run(
                [str(bin_dir / "pg_dump"), "-s", "-d", self.stack.doors[side]],
                capture_output=True, text=True, check=True, timeout=60,
            ).stdout  # fmt: skip
            lines = [line for line in dump.splitlines() if "restrict" not in line]
            found[side] = "\n".join(lines)
        return found

    def residue(self) -> dict[str, dict[str, list[str]]]:
        """What jobs left on either server; empty when nothing was."""
        found = {side: residue(self.stack.doors[side]) for side in ("blue", "green")}
        return {side: kinds for side, kinds in found.items() if kinds}

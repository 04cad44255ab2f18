"""A stack with its agents, a shop under load, and the command line: what end-to-end tests use.

`Journey` calls `bluegreen` as a user does, in a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis import Redis

from producer.client import View
from producer.render import status_document
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.store import PostgresControlStore
from tests.support.both_servers import BothServers
from tests.support.shop import Shop
from tests.support.stack import Stack, running_stack
from tests.support.two_sides import TwoSides
from tests.support.wait import until


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def body(self) -> Any:
        return json.loads(self.out)


def _done(state: dict[str, Any]) -> set[str]:
    return {step["name"] for step in state["steps"] if step["state"] == "done"}


@dataclass
class Journey:
    stack: Stack
    folder: Path

    @property
    def state(self) -> Path:
        return self.stack.state_dir

    @property
    def doors(self) -> dict[str, str]:
        return self.stack.doors

    @property
    def servers(self) -> BothServers:
        return BothServers(self.stack)

    @cached_property
    def shop(self) -> Shop:
        return Shop(self.doors, self.folder)

    def bluegreen(self, *words: str, limit_s: float = 240) -> Said:
        found = subprocess.run(
            [sys.executable, "-m", "producer", *words],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "BLUEGREEN_STATE_DIR": str(self.state)},
        )
        return Said(found.returncode, found.stdout, found.stderr)

    def write(self, name: str, sql: str) -> Path:
        path = self.folder / name
        path.write_text(sql, encoding="utf-8")
        return path

    def submit(self, name: str, sql: str, *options: str) -> str:
        """Enqueue a file and return the job's id."""
        words = ["--yes", "--detach", "--json", *options]
        said = self.bluegreen("run", str(self.write(name, sql)), *words)
        assert said.code == 0, said.err
        return str(said.body["job"])

    def status(self, job: str) -> dict[str, Any]:
        """What `bluegreen status JOB --json` prints, without a process of its own: a look at a job
        must not cost more than the job."""
        return status_document(View(self.store.job(job), self.store.steps(job)))

    @cached_property
    def store(self) -> PostgresControlStore:
        database = ControlDatabase(self.stack.settings, application_name="test")
        return PostgresControlStore(database)

    def until(
        self, job: str, reached: Callable[[dict[str, Any]], bool], *, within_s: float = 180
    ) -> dict[str, Any]:
        """Poll the job until `reached`; fails with the last status when the limit is over."""
        deadline = time.monotonic() + within_s
        state = self.status(job)
        while not reached(state):
            assert time.monotonic() < deadline, f"not within {within_s} s: {state}"
            time.sleep(0.2)
            state = self.status(job)
        return state

    def until_step(self, job: str, step: str, *, within_s: float = 180) -> dict[str, Any]:
        """Wait until the job is at that step; fails when it ends before."""
        state = self.until(
            job, lambda now: now["step"] == step or now["outcome"] is not None, within_s=within_s
        )
        assert state["outcome"] is None, state
        return state

    def until_step_passed(self, job: str, step: str, *, within_s: float = 180) -> None:
        """Wait until that step is done (or the job ended)."""
        self.until(
            job,
            lambda now: now["outcome"] is not None or step in _done(now),
            within_s=within_s,
        )

    def until_ended(self, job: str, *, within_s: float = 180) -> str:
        state = self.until(job, lambda now: now["outcome"] is not None, within_s=within_s)
        return str(state["outcome"])

    def report(self, job: str) -> dict[str, Any]:
        said = self.bluegreen("report", job, "--json")
        assert said.code == 0, said.err
        return dict(said.body)

    def go_back(self, job: str) -> None:
        """Ask for the way back. Refused while the job's last look fell into a stop of its stream:
        that is told until the next look, 2 s later."""

        def is_taken() -> bool:
            said = self.bluegreen("rollback", job, "--yes", "--detach")
            assert said.code == 0 or "has stopped, so a rollback would lose" in said.err, said.err
            return said.code == 0

        until(is_taken, limit_s=60, what="the way back is seen to be open")

    def two_sides(self) -> TwoSides:
        """Probes as the application role on both servers, past the doors."""
        app = psycopg.conninfo.conninfo_to_dict(self.doors["app"])
        dsns = {}
        for side in ("blue", "green"):
            server = psycopg.conninfo.conninfo_to_dict(self.doors[side])
            dsns[side] = psycopg.conninfo.make_conninfo(
                **{**app, "host": server["host"], "port": server["port"]}
            )
        return TwoSides(dsns)

    @contextmanager
    def frozen(self, child: str) -> Iterator[None]:
        """Stop that child of the supervisor while the body runs."""
        pid = self.stack.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def redis(self) -> Redis:
        return Redis.from_url(self.doors["redis"])

    def in_control(self, sql: str, *params: object) -> tuple[Any, ...]:
        """Run a statement on the control database; its first row, empty where it has none."""
        with psycopg.connect(self.doors["control"], autocommit=True) as connection:
            cursor = connection.execute(sql, params)
            return (cursor.fetchone() or ()) if cursor.description else ()

    def as_application(self, sql: str) -> None:
        with psycopg.connect(self.doors["direct"], autocommit=True) as connection:
            connection.execute(sql)

    def until_written(self, sql: str, *, within_s: float = 60) -> None:
        """Run a statement as the application, again and again until a server takes it."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                return self.as_application(sql)
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, f"nothing was written within {within_s} s"
                time.sleep(0.2)

    def count(self, rows: str) -> int:
        """How many rows `FROM rows` has on the side that serves."""
        with psycopg.connect(self.doors["direct"], autocommit=True) as connection:
            found = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
        assert found is not None
        return int(found[0])

    def columns(self, table: str) -> list[str]:
        """All of them on the side that serves, in order."""
        with psycopg.connect(self.doors["direct"], autocommit=True) as connection:
            found = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
                " AND NOT attisdropped ORDER BY attnum",
                (table,),
            )
            return [str(row[0]) for row in found]

    def own_columns(self, table: str) -> list[str]:
        """Without the landing columns, which are seen in the rollback window as well."""
        return [name for name in self.columns(table) if "bluegreen" not in name]

    def until_paused(self, job: str, *, is_over: bool, within_s: float = 180) -> None:
        """Wait for the pause of the job's cutover, or for its end. One that began and ended between
        two looks is over."""
        deadline = time.monotonic() + within_s
        ask_at, was_paused = 0.0, False
        with psycopg.connect(
            self.doors["pgbouncerAdmin"], autocommit=True, prepare_threshold=None
        ) as admin:
            while time.monotonic() < deadline:
                cursor = admin.cursor(row_factory=dict_row).execute("SHOW DATABASES")
                paused = any(row["paused"] for row in cursor)
                was_paused |= paused
                if was_paused and paused != is_over:
                    return
                if time.monotonic() > ask_at:
                    ask_at = time.monotonic() + 0.5
                    if "cutover" in _done(self.status(job)):
                        return
                time.sleep(0.001)
        raise AssertionError(f"no pause within {within_s} s")


@contextmanager
def journey_on_a_stack(version: int | None, folder: Path) -> Iterator[Journey]:
    """A stack with its agents and the shop in it, gone at the end."""
    with running_stack(version, agents=True) as stack:
        journey = Journey(stack, folder)
        journey.shop.build()
        yield journey

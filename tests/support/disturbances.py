"""What goes wrong around a stack, each for the length of a block, and then is mended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from tests.support.stack import Stack


@contextmanager
def away(stack: Stack, child: str) -> Iterator[None]:
    control = ControlFiles(Layout(stack.state_dir).supervisor)
    control.want(child, "stopped at once")
    try:
        yield
    finally:
        control.want(child, "running")


@contextmanager
def connections(stack: Stack, door: str, number: int, **more: str) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(number):
            held.enter_context(psycopg.connect(stack.doors[door], autocommit=True, **more))
        yield


@contextmanager
def slow(pid: int) -> Iterator[None]:
    """That process runs for ten milliseconds, and then stands for 600."""
    over = threading.Event()

    def stutter() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(0.6)
            os.kill(pid, signal.SIGCONT)
            over.wait(0.01)

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


@contextmanager
def at_work(dsn: str, query: str) -> Iterator[None]:
    """A session that runs this until it is cancelled."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def run() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                connection.execute(query)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            while thread.is_alive():
                connection.cancel()
                thread.join(0.2)


@contextmanager
def paused_standby(stack: Stack) -> Iterator[psycopg.Connection]:
    """Green replays nothing; a session on blue, with a table to write to."""
    with stack.connect("green") as green, stack.connect("blue") as blue:
        blue.execute("CREATE TABLE written (text text)")
        green.execute("SELECT pg_wal_replay_pause()")
        try:
            yield blue
        finally:
            green.execute("SELECT pg_wal_replay_resume()")
            blue.execute("DROP TABLE written")

"""Jobs side by side: each process has servers of its own, and takes the next job when it is free.

Most of a job is waiting for servers, so two cores bear more than two of them. A process that is
told to end takes its servers down first.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.corpus.case import Case
from tests.corpus.faults import plant
from tests.corpus.ground import Ground
from tests.corpus.play import play
from tests.corpus.played import Played

Group = Sequence[Case]
HOLD_LIMIT_S = 4 * 3600.0
LOOK_S = 2.0
JOB_LIMIT_S = 3600.0
"""Without a word from anybody; every wait inside of a job is shorter."""
END_LIMIT_S = 60.0
_processes = multiprocessing.get_context("spawn")


def played_by(
    version: int, groups: Sequence[Group], *, at_once: int, hold: Path | None
) -> Generator[Played, None, None]:
    """What each group's job found, as they end. While the file `hold` exists, none begins.
    Raises SystemExit when the processes ended before their jobs did."""
    if at_once == 1:
        with Ground(version) as ground:
            for group in groups:
                _wait_while(hold)
                yield from until_it_ends(ground, group)
        return
    with _crew(version, min(at_once, len(groups)), hold) as (crew, todo, found):
        for group in groups:
            todo.put(group)
        for _ in crew:
            todo.put(None)
        for _ in groups:
            yield from _next(crew, found)


def until_it_ends(ground: Ground, cases: Group) -> Iterator[Played]:
    """A job that breaks down says nothing of the cases beside the broken one: without that one they
    are played again."""
    left = cases
    while left:
        played = play(ground, left, plant)
        if not played.general or not played.problems or len(left) == 1:
            yield played
            return
        left = [case for case in left if case.name not in played.problems]
        yield replace(
            played,
            cases=[case for case in played.cases if case.name in played.problems],
        )


def end_in_order() -> None:
    """SIGTERM unwinds what stands, instead of leaving servers behind."""

    def leave(*_: object) -> None:
        raise SystemExit("told to end")

    signal.signal(signal.SIGTERM, leave)


@contextmanager
def _crew(
    version: int, size: int, hold: Path | None
) -> Iterator[tuple[list[BaseProcess], Any, Any]]:
    todo, found = _processes.Queue(), _processes.Queue()
    crew: list[BaseProcess] = [
        _processes.Process(target=_work, args=(version, todo, found, hold)) for _ in range(size)
    ]
    for each in crew:
        each.start()
    try:
        yield crew, todo, found
    except BaseException:
        for each in crew:
            each.terminate()
        raise
    finally:
        todo.cancel_join_thread()
        for each in crew:
            each.join(END_LIMIT_S)
            each.kill()  # of one that has ended nothing is left to be killed


def _work(version: int, todo: Any, found: Any, hold: Path | None) -> None:
    end_in_order()
    asked_by = multiprocessing.parent_process()
    with Ground(version) as ground:
        while (group := todo.get(timeout=JOB_LIMIT_S)) is not None:
            _wait_while(hold)
            if asked_by is not None and not asked_by.is_alive():
                return  # nobody would hear of it
            found.put(list(until_it_ends(ground, group)))


def _next(crew: Sequence[BaseProcess], found: Any) -> list[Played]:
    deadline = time.monotonic() + JOB_LIMIT_S + HOLD_LIMIT_S
    while time.monotonic() < deadline:
        anybody = any(each.is_alive() for each in crew)
        try:
            played: list[Played] = found.get(timeout=LOOK_S)
            return played
        except queue.Empty:
            if not anybody:
                raise SystemExit(
                    "expected what another job found, found every process ended; "
                    "what they said stands above, and --resume plays what is missing"
                ) from None
    raise SystemExit(
        "expected some job to end, found none that did; --resume plays what is missing"
    )


def _wait_while(hold: Path | None) -> None:
    deadline = time.monotonic() + HOLD_LIMIT_S
    while hold is not None and hold.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"expected {hold} to go within {HOLD_LIMIT_S:g} s, found it there")
        time.sleep(LOOK_S)

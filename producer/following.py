"""A person follows a job: bars on a terminal, lines in a log, and Ctrl-C leaves the job alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from producer import render
from producer.client import Client, View
from producer.exit_codes import ExitCode
from producer.output import Output
from shared.domain.errors import Transient
from shared.domain.kinds import Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """How following ended; `view` is the last look."""

    code: ExitCode
    view: View

    @property
    def document(self) -> dict[str, Any]:
        return render.status_document(self.view)


def attend(
    client: Client,
    output: Output,
    job: str,
    *,
    limit_s: float | None = None,
    wanted: Outcome = Outcome.COMPLETED,
    stop_for_approval: bool = True,
    stuck_epoch: int | None = None,
) -> Ending:
    """Follow to the end and say how it ended. Raises Refused when there is no such job."""
    try:
        last: list[View] = [client.look(job)]
    except KeyboardInterrupt:
        output.warn(render.reattach_line(job))
        raise

    with _screen(output) as show:

        def keep(view: View) -> None:
            last[:] = [view]
            show(view)

        try:
            code = client.follow(
                job,
                keep,
                output.warn,
                wait_timeout_s=limit_s,
                wanted=wanted,
                stop_for_approval=stop_for_approval,
                stuck_epoch=stuck_epoch,
            )
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except Transient as error:
            raise Transient(error.message, remedy=render.reattach_line(job)) from error
    output.say(render.closing_line(last[0], code))
    return Ending(code, last[0])


def watch(client: Client, output: Output, job: str, *, limit_s: float | None) -> ExitCode:
    """`bluegreen watch`: follow a job that somebody enqueued."""
    ending = attend(client, output, job, limit_s=limit_s)
    output.document(jobs_document([ending.document], ending.code))
    return ending.code


def jobs_document(jobs: Sequence[dict[str, Any]], code: ExitCode) -> dict[str, Any]:
    """What following ends with: the last job's own document, all of them, and the exit code."""
    return {**(jobs[-1] if jobs else {}), "jobs": list(jobs), "exitCode": int(code)}


@contextmanager
def _screen(output: Output) -> Iterator[Callable[[View], None]]:
    """Bars where a person looks at a terminal, else one line per change."""
    if output.on_terminal:
        from rich.console import Console

        from producer.live import live

        with live(Console(file=sys.stderr if output.as_json else sys.stdout)) as show:
            yield show
    else:
        yield _plain(output)


def _plain(output: Output) -> Callable[[View], None]:
    before: list[View] = []

    def show(view: View) -> None:
        for line in render.changes(before[0] if before else None, view, datetime.now(UTC)):
            output.say(line)
        before[:] = [view]

    return show

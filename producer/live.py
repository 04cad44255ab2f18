"""Following on a terminal: the steps with their states and bars, redrawn in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from producer.client import View
from producer.render import WINDOW_STEP, duration, headline, remaining_s, took, window_hint
from shared.domain.kinds import StepState
from shared.ports import StepRecord

_STYLE = {
    StepState.PENDING: "dim",
    StepState.RUNNING: "bold cyan",
    StepState.DONE: "green",
    StepState.FAILED: "bold red",
    StepState.UNDONE: "yellow",
    StepState.SKIPPED: "dim",
}


def picture(view: View, now: datetime) -> Group:
    """The job as it is: one row per step, and what it says."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    for column in ("step", "state", "time", "progress", "sentence"):
        table.add_column(column, no_wrap=column != "sentence")
    for step in view.steps:
        table.add_row(
            Text(step.name, _STYLE[step.state]),
            Text(step.state.value, _STYLE[step.state]),
            took(step, now),
            _bar(step),
            _words(step, now),
        )
    foot = Text(view.job.sentence, "italic")
    if any(s.name == WINDOW_STEP and s.state is StepState.RUNNING for s in view.steps):
        foot = Text(window_hint(view.job), "italic")
    return Group(Text(headline(view.job), "bold"), table, foot)


def _bar(step: StepRecord) -> ProgressBar | str:
    if step.state is not StepState.RUNNING or step.progress is None:
        return ""
    return ProgressBar(total=1.0, completed=step.progress, width=20)


def _words(step: StepRecord, now: datetime) -> str:
    left_s = remaining_s(step, now)
    return step.sentence if left_s is None else f"{step.sentence} ({duration(left_s)} left)"


@contextmanager
def live(console: Console) -> Iterator[Callable[[View], None]]:
    """Redraw at every look; the last picture stays."""
    with Live(console=console, refresh_per_second=8, transient=False) as screen:
        yield lambda view: screen.update(picture(view, datetime.now(UTC)), refresh=True)

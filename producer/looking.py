"""Answers of the control database for people and machines: status, history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from producer import render
from producer.client import View
from producer.exit_codes import ExitCode
from producer.output import Output
from producer.reports.document import comparison_document
from producer.track_record import impact, summary, summary_lines, took_s
from shared.ports import ControlStore


def status(store: ControlStore, output: Output, job: str | None) -> None:
    """One job, or what is going on: the live jobs, and the last one where none is."""
    if job is not None:
        view = View(store.job(job), store.steps(job))
        output.document(render.status_document(view))
        _show(output, view)
        return
    live = store.jobs(live_only=True)
    views = [View(record, store.steps(record.id)) for record in live or store.jobs(limit=1)]
    output.document(
        {
            "live": [record.id for record in live],
            "jobs": [render.status_document(view) for view in views],
        }
    )
    if not live:
        output.say("no job is live" + ("; the last one:" if views else ", and none ever was"))
    for view in views:
        _show(output, view)


def _show(output: Output, view: View) -> None:
    if output.as_json:
        return
    if output.on_terminal:
        from rich.console import Console

        from producer.live import picture

        Console().print(picture(view, datetime.now(UTC)))
        return
    for line in render.status_lines(view, datetime.now(UTC)):
        output.say(line)


def history(store: ControlStore, output: Output, job: str | None, limit: int) -> None:
    """The jobs, newest first, and their track record; or every decision about one job, oldest
    first."""
    if job is None:
        jobs = store.jobs(limit=limit)
        found = summary(jobs)
        documents = [
            {**render.job_document(record), "seconds": took_s(record), "impact": impact(record)}
            for record in jobs
        ]
        output.document({"jobs": documents, "summary": found})
        _say_all(output, [*render.job_lines(jobs), *summary_lines(found)])
        return
    removed = render.details_removed(store.job(job).details_removed_at)
    records = store.history(job)[-limit:]
    output.document({"job": job, "history": [render.history_document(row) for row in records]})
    if removed:
        output.say(f"job {job}: {removed}")
    _say_all(output, render.history_lines(records))


def compare(store: ControlStore, output: Output, job: str) -> ExitCode:
    """The verdict that the cutover of this job needs; 3 where it has none, or rows differ."""
    record = store.job(job)
    verdict = comparison_document(record)
    output.document({"job": job, "comparison": verdict})
    if verdict is None:
        output.say(f"job {job} has no verdict: {record.sentence or 'no rows were compared yet'}")
        return ExitCode.REFUSED
    output.say(
        f"{verdict['rowsCompared']:,} rows compared in {verdict['tables']} tables at "
        f"{verdict['at']}: {verdict['rowsDifferent']} different"
    )
    for column in verdict["columnsNotCompared"]:
        output.say(f"  not compared: {column}")
    return ExitCode.REFUSED if verdict["rowsDifferent"] else ExitCode.DONE


def _say_all(output: Output, lines: Iterable[str]) -> None:
    if not output.as_json:
        for line in lines:
            output.say(line)

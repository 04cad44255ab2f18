"""Files become jobs, one after the other: all are checked before the first is enqueued."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.client import Client
from producer.configuration import Configuration
from producer.confirming import confirm
from producer.connections import connect
from producer.exit_codes import ExitCode
from producer.following import attend, jobs_document
from producer.intake import Intake, all_readable, all_valid, refuse, take_in
from producer.output import Output
from producer.reporting import collect
from producer.reports.checklist import checklist, checklist_lines
from producer.windows import with_window
from shared.domain.errors import AlreadyApplied, MigrationError
from shared.domain.migration import RunOptions


@dataclass(frozen=True, slots=True)
class How:
    """How a person wants to be asked and told."""

    yes: bool
    detach: bool
    limit_s: float | None


def run(
    configuration: Configuration,
    output: Output,
    files: Sequence[Path],
    asked: Mapping[str, Any],
    how: How,
) -> ExitCode:
    """Check all files, ask once, then one job each; the first that does not complete ends it."""
    options = RunOptions(**asked)
    taken = take_in(files, options.claimed)
    if not all_readable(taken):
        return refuse(output, taken)
    try:
        client = connect(configuration)
        client.doorbell.check()
    except MigrationError:
        # Nothing can be enqueued; what the files alone already say comes first.
        if not all_valid(taken):
            return refuse(output, taken)
        if not how.yes:
            confirm(output, taken)
        raise

    def report(job: str) -> Mapping[str, Any]:
        return collect(configuration, job)[0]

    return Run(client, output, options, how, configuration.windows, report).all(taken)


@dataclass(frozen=True, slots=True)
class Run:
    """The files of one command, its services at hand."""

    client: Client
    output: Output
    options: RunOptions
    how: How
    windows: Mapping[str, str]
    """By kind, as configured."""
    report: Callable[[str], Mapping[str, Any]]
    """The report's document of a job."""

    def all(self, taken: Sequence[Intake]) -> ExitCode:
        """What a file needs depends on the schema it meets: the live one decides, for the first
        file now, for the others when their turn comes."""
        applied, waiting = self._sort(taken)
        if not waiting:
            self.output.document(jobs_document(applied, ExitCode.DONE))
            return ExitCode.DONE
        self.client.expect_free()
        first = self._against_live_schema(waiting[0])
        if not first.report.is_valid:
            return refuse(self.output, [first])
        if not self.how.yes:
            confirm(self.output, [first, *waiting[1:]])
        if self.how.detach:
            return self._enqueue_only(first)
        return self._in_order([first, *waiting[1:]], applied)

    def _sort(self, taken: Sequence[Intake]) -> tuple[list[dict[str, Any]], list[Intake]]:
        """Documents of the files that are applied already, and the files that are not.

        Raises EditedAfterApplied.
        """
        applied: list[dict[str, Any]] = []
        waiting: list[Intake] = []
        for item in taken:
            try:
                self.client.expect_unapplied(item.path.name, item.sql)
                waiting.append(item)
            except AlreadyApplied as error:
                self.output.say(error.message)
                applied.append(
                    {"job": error.job, "file": item.path.name, "outcome": "completed"}
                    | {"alreadyApplied": True}
                )
        return applied, waiting

    def _against_live_schema(self, item: Intake) -> Intake:
        catalog, version = self.client.schema()
        claimed = self.options.claimed
        [sharper] = take_in([item.path], claimed, catalog=catalog, server_version=version)
        return sharper

    def _enqueue_only(self, item: Intake) -> ExitCode:
        """`--detach`: the id is the whole answer."""
        job = self._submit(item)
        self.output.say(f"job {job} is enqueued" if self.output.as_json else job)
        self.output.document({"job": job})
        return ExitCode.DONE

    def _in_order(self, waiting: Sequence[Intake], jobs: list[dict[str, Any]]) -> ExitCode:
        code = ExitCode.DONE
        for place, item in enumerate(waiting):
            if place > 0:
                item = self._against_live_schema(item)
                if not item.report.is_valid:
                    return refuse(self.output, [item])
            job = self._submit(item)
            ending = attend(self.client, self.output, job, limit_s=self.how.limit_s)
            jobs.append(ending.document)
            if ending.view.job.outcome is not None:
                self._say_checklist(job)
            code = ending.code
            if code is not ExitCode.DONE:
                break
        self.output.document(jobs_document(jobs, code))
        return code

    def _say_checklist(self, job: str) -> None:
        """What cannot be read any more is left out: the job has ended, whatever is printed."""
        with suppress(MigrationError):
            for line in checklist_lines(checklist(self.report(job))):
                self.output.say(line)

    def _submit(self, item: Intake) -> str:
        return self.client.submit(
            kind=item.kind,
            file_name=item.path.name,
            sql=item.sql,
            options=with_window(self.options, item.kind, self.windows),
        )

"""Files become jobs, one after the other: all are checked before the first is enqueued."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.client import Client
from producer.configuration import Configuration
from producer.connections import connect
from producer.exit_codes import ExitCode
from producer.following import attend, jobs_document
from producer.intake import Intake, all_valid, refuse, take_in
from producer.output import Output
from shared.domain.errors import AlreadyApplied, Refused
from shared.domain.kinds import Kind
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
    if not all_valid(taken):
        return refuse(output, taken)
    if not how.yes:
        confirm(output, taken)
    client = connect(configuration)
    client.check_services()
    if how.detach:
        return enqueue_only(client, output, taken[0], options)
    return run_in_order(client, output, taken, options, limit_s=how.limit_s)


def confirm(output: Output, taken: Sequence[Intake]) -> None:
    """Safe migrations need no word; the others one of a person, or `--yes`. Raises Refused."""
    grave = [item for item in taken if item.kind is not Kind.SAFE]
    if not grave:
        return
    names = ", ".join(f"{item.path.name} ({item.kind.value})" for item in grave)
    if not sys.stdin.isatty():
        raise Refused(
            f"{names} must be confirmed, and there is no terminal to ask on",
            remedy="add --yes; nothing was enqueued",
            code="NotConfirmed",
        )
    output.warn(f"About to run {names}.")
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("not confirmed", remedy="nothing was enqueued", code="NotConfirmed")


def enqueue_only(client: Client, output: Output, item: Intake, options: RunOptions) -> ExitCode:
    """`--detach`: the id is the whole answer."""
    try:
        job = submit(client, item, options)
    except AlreadyApplied as error:
        output.say(error.message)
        output.document({"job": error.job, "outcome": "completed", "alreadyApplied": True})
        return ExitCode.DONE
    output.say(job if not output.as_json else f"job {job} is enqueued")
    output.document({"job": job})
    return ExitCode.DONE


def run_in_order(
    client: Client,
    output: Output,
    taken: Sequence[Intake],
    options: RunOptions,
    *,
    limit_s: float | None,
) -> ExitCode:
    """One job after the other; a file that is already applied is passed over."""
    jobs: list[dict[str, Any]] = []
    code = ExitCode.DONE
    for item in taken:
        try:
            job = submit(client, item, options)
        except AlreadyApplied as error:
            output.say(error.message)
            jobs.append(
                {"job": error.job, "file": item.path.name, "outcome": "completed"}
                | {"alreadyApplied": True}
            )
            continue
        ending = attend(client, output, job, limit_s=limit_s)
        jobs.append(ending.document)
        code = ending.code
        if code is not ExitCode.DONE:
            break
    output.document(jobs_document(jobs, code))
    return code


def submit(client: Client, item: Intake, options: RunOptions) -> str:
    return client.submit(kind=item.kind, file_name=item.path.name, sql=item.sql, options=options)

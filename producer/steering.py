"""Ask a live job for something, and follow it to where that leads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from producer.client import Client
from producer.exit_codes import ExitCode
from producer.following import attend, jobs_document
from producer.output import Output
from shared.domain.errors import Refused
from shared.domain.kinds import Outcome
from shared.ports import Steering

_POINT = "rollback-"
"""A rollback point is `rollback-<job>-<time>.sql...`; a job's id holds one dash."""

_WANTED: dict[Steering, Outcome] = {
    "approve": Outcome.COMPLETED,
    "withdraw": Outcome.COMPLETED,
    "finish": Outcome.COMPLETED,
    "abort": Outcome.ROLLED_BACK,
    "rollback": Outcome.ROLLED_BACK,
    "keep-sync": Outcome.ROLLED_BACK,
    "pause": Outcome.COMPLETED,
    "resume": Outcome.COMPLETED,
}


def steer(
    client: Client,
    output: Output,
    jobs: Sequence[str],
    what: Steering,
    *,
    detach: bool,
    limit_s: float | None,
) -> ExitCode:
    """Ask each job in turn and follow it; the first that ends otherwise stops the rest.

    Done means: it ended as was asked. With `detach` the request is noted, and that is all.
    """
    documents: list[dict[str, Any]] = []
    code = ExitCode.DONE
    for job in jobs:
        epoch = client.request(job, what)
        if detach:
            output.say(f"{what} is noted for job {job}; `bluegreen watch {job}` follows it")
            documents.append({"job": job, "requested": what})
            continue
        ending = attend(
            client,
            output,
            job,
            limit_s=limit_s,
            wanted=_WANTED[what],
            stop_for_approval=what == "keep-sync",  # the others end the job, or its wait
            stuck_epoch=epoch,
        )
        documents.append(ending.document)
        code = ending.code
        if what == "keep-sync" and ending.view.rests_in_sync:
            code = ExitCode.DONE  # it waits for a person, as was asked
        if code is not ExitCode.DONE:
            break
    output.document(jobs_document(documents, code))
    return code


def to_restore(client: Client, target: str) -> bool:
    """Whether a person means a restore by hand: a rollback point whose job has ended, so that no
    way back of its own is left."""
    if not PurePath(target).name.startswith(_POINT):
        return False
    try:
        return client.store.job(job_of(client, target)).ended_at is not None
    except Refused:  # a point whose job this control database does not know
        return True


def job_of(client: Client, target: str) -> str:
    """The job that a person means by an id, a rollback point or a migration file.

    Raises Refused when no job carried that file.
    """
    name = PurePath(target).name
    if ".sql" not in name:
        return target
    if name.startswith(_POINT):
        return "-".join(name.removeprefix(_POINT).split(".")[0].split("-")[:2])
    found = client.store.job_with_file(client.database, name)
    if found is not None:
        return found.id
    raise Refused(
        f"expected a migration that was run here, found no job with the file {name}",
        remedy="`bluegreen history` lists the jobs",
    )

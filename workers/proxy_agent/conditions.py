"""What must have been found before a cutover may begin: a fresh verdict, a schema as frozen."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.errors import Refused
from shared.domain.facts import Freeze, Verdict
from shared.domain.migration import Job
from shared.ports import Node
from shared.sql.fingerprint import FINGERPRINT

VERDICT_LIFE = timedelta(hours=1)


def switch_delay_left_s(job: Job, now: datetime) -> float:
    """Seconds of `--switch-delay` that are left, counted from the verdict."""
    at = datetime.fromisoformat(Verdict.of(job).at)
    return job.options.switch_delay_s - (now - at).total_seconds()


def expect_verdict(job: Job, now: datetime) -> None:
    """Raises Refused unless every row was compared, found equal, and not too long ago."""
    verdict = Verdict.of(job)
    if verdict.rows_different:
        raise Refused(
            f"expected equal rows on both sides, found {verdict.rows_different} different"
        )
    age = now - datetime.fromisoformat(verdict.at)
    if age > VERDICT_LIFE + timedelta(seconds=job.options.switch_delay_s):
        raise Refused(
            f"expected a verdict younger than {VERDICT_LIFE}, found one of {verdict.at}",
            remedy="run the file again, and approve within an hour of the comparison",
        )


def expect_frozen_schema(job: Job, source: Node) -> None:
    """Raises Refused when somebody got past the freeze of the source's schema."""
    frozen = Freeze.maybe(job)
    if frozen is None:
        return
    with source.session() as session:
        found = session.value(FINGERPRINT)
    if found != frozen.fingerprint:
        raise Refused(
            f"expected the schema of {job.source} as it was frozen, found it changed meanwhile",
            remedy="find out who got past the freeze, and run the file again",
        )


def lacks_approval(job: Job) -> str:
    """Why a job that was to be held may not switch now; empty where it may."""
    if not job.options.hold or "approve" in job.requests:
        return ""
    return f"the approval was withdrawn or has run out: waits for `bluegreen approve {job.id}`"

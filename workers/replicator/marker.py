"""A row that is written on the source and arrives on the target: all before it has arrived, too."""

from __future__ import annotations

import uuid

from shared.ports import Session
from workers.replicator.poll import holds_within

WRITE = "SELECT bluegreen.write_marker(%s)"
IS_THERE = "SELECT EXISTS (SELECT FROM bluegreen_job.marker WHERE token = %s)"


def arrives(source: Session, target: Session, name: str, *, limit_s: float) -> bool:
    """Whether one that is written now is on the target within the limit. Its token begins with
    `name`, by which whoever reads the rows tells what it was written for."""
    token = f"{name}{uuid.uuid4()}"
    source.rows(WRITE, [token])
    return holds_within(limit_s, lambda: bool(target.value(IS_THERE, [token])))

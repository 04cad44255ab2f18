"""Which rollback points may go: older than the limit, and never the newest verified one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shared.domain.rollback_point import Manifest


def expendable(
    points: Sequence[Manifest], *, now: datetime, days: float, live_jobs: Collection[str] = ()
) -> list[Manifest]:
    """The points that retention deletes, oldest first.

    Law: the newest verified point of each database stays, whatever its age; so does every point
    of a live job. Without one verified point of a database nothing of it is deleted: the only
    hope that is left is not thrown away because of its age.
    """
    limit = now - timedelta(days=days)
    kept = {point.name for point in _newest_verified(points)}
    safe_databases = {point.database for point in points if point.name in kept}
    return sorted(
        (
            point
            for point in points
            if point.taken_at < limit
            and point.name not in kept
            and point.job not in live_jobs
            and point.database in safe_databases
        ),
        key=lambda point: point.taken_at,
    )


def _newest_verified(points: Sequence[Manifest]) -> list[Manifest]:
    newest: dict[str, Manifest] = {}
    for point in sorted(points, key=lambda point: point.taken_at):
        if point.verified_at is not None:
            newest[point.database] = point
    return list(newest.values())

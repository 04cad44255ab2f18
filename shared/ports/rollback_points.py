"""The backup directory, and the work on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.migration import BackupScope, Job
from shared.domain.rollback_point import Manifest
from shared.ports.servers import DeedState


class RollbackPoints(Protocol):
    """The backup directory and the work on it. A point deleted by hand is gone, not an error."""

    def of_job(self, job: str) -> Manifest | None:
        """The job's newest point that is not marked unused and whose files are all there."""
        ...

    def path(self, point: Manifest) -> str:
        """Where its schema part is, for people."""
        ...

    def take_schema(self, job: Job, scope: BackupScope) -> Manifest:
        """Write the schema part and the manifest of a new point of the active side, now."""
        ...

    def dump_data(self, point: Manifest, tables: Sequence[str]) -> DeedState:
        """Start the data part in a process of its own, or look at it. Raises what it failed with;
        the next call then starts anew."""
        ...

    def verify(self, point: Manifest) -> DeedState:
        """Restore the point into a scratch database and count: at once for a schema, else in a
        process of its own, as `dump_data`."""
        ...

    def discard_data(self, job: str) -> None:
        """End the dump if it runs, delete the data part."""
        ...

    def discard_scratch(self, job: str) -> None:
        """End the verification if it runs, drop the scratch database."""
        ...

    def mark_unused(self, job: str) -> None: ...

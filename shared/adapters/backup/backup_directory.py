"""The rollback points of a directory, for the steps of the backup agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.backup.backup_deed import Order, end, is_begun, start_or_look
from shared.adapters.backup.point_files import PointFiles
from shared.adapters.backup.point_work import (
    TooLongError,
    dump_data_part,
    stop_after,
    take_schema_part,
    unheard,
    verify_point,
)
from shared.adapters.backup.scratch import drop_scratch
from shared.domain.kinds import BackupScope
from shared.domain.migration import Job
from shared.domain.rollback_point import Manifest
from shared.ports import DeedState
from shared.settings import Settings


@dataclass(frozen=True)
class BackupDirectory:
    """The RollbackPoints port over `Settings.backup_dir`."""

    settings: Settings
    at_once_s: float = 2.0
    """A dump that is through within it needs no deed, which takes about a second to begin."""
    at_once_bytes: int = 8 << 20
    """Of SQL text: so much is restored within about a second, without a deed."""

    @property
    def _files(self) -> PointFiles:
        return PointFiles(self.settings.backup_dir)

    def of_job(self, job: str) -> Manifest | None:
        return self._files.of_job(job)

    def path(self, point: Manifest) -> str:
        part = point.part("schema")
        return str(self.settings.backup_dir / (part.file if part is not None else point.name))

    def take_schema(self, job: Job, scope: BackupScope) -> Manifest:
        return take_schema_part(self.settings, job, scope)

    def dump_data(self, point: Manifest, tables: Sequence[str]) -> DeedState:
        order = Order(kind="dump", point=point.name, tables=tuple(tables), settings=self.settings)
        if is_begun(order) or self.at_once_s <= 0:
            return start_or_look(order)
        try:
            dumped = dump_data_part(self.settings, point, tables, stop_after(self.at_once_s))
        except TooLongError:
            return start_or_look(order)
        return DeedState("succeeded", f"{dumped.rows} rows dumped", 1.0)

    def verify(self, point: Manifest) -> DeedState:
        order = Order(kind="verify", point=point.name, settings=self.settings)
        if is_begun(order) or point.plain_bytes > self.at_once_bytes:
            return start_or_look(order)
        verified = verify_point(self.settings, point, unheard)
        return DeedState("succeeded", f"{verified.rows} rows restored and counted", 1.0)

    def discard_data(self, job: str) -> None:
        for point in self._of(job):
            end(self.settings, point.name, "dump")
            part = point.part("data")
            if part is not None:
                self._files.save(point.without_data())
                (self.settings.backup_dir / part.file).unlink(missing_ok=True)

    def discard_scratch(self, job: str) -> None:
        for point in self._of(job):
            end(self.settings, point.name, "verify")
        drop_scratch(self.settings, job)

    def mark_unused(self, job: str) -> None:
        for point in self._of(job):
            self._files.save(point.model_copy(update={"unused": True}))

    def _of(self, job: str) -> list[Manifest]:
        return [point for point in self._files.all() if point.job == job]

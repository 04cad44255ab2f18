"""A container engine for tests: the one that answers, or one that is started and stopped again.

On a machine that reaches no container registry `tests/support/docker-here` starts an engine and
makes stand-in images under the public names; so the very same files are built and run.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.journey import Said

ROOT = Path(__file__).parents[2]
DOCKER_HERE = ROOT / "tests/support/docker-here"
IMAGES_LIMIT_S, DOWN_LIMIT_S = 900, 180


def run(
    words: Sequence[str],
    environment: dict[str, str],
    *,
    limit_s: float,
    feed: str | None = None,
    folder: Path = ROOT,
) -> Said:
    found = subprocess.run(
        list(words), capture_output=True, text=True, check=False, timeout=limit_s,
        env=environment, input=feed, cwd=folder,
    )  # fmt: skip
    return Said(found.returncode, found.stdout, found.stderr)


@contextmanager
def container_engine(files: Sequence[Path], *, keep: bool = False) -> Iterator[dict[str, str]]:
    """An engine that has the images which `files` name; the environment of whoever talks to it.

    Fails, and does not skip, where there is none: a stack that was not run is not shown to run.
    What was started here is stopped at the end, unless `keep`, and must leave nothing behind.
    """
    stop = not keep and not _ours()
    before = _networks()
    try:
        for words in (["engine"], ["images", *map(str, files)]):
            said = run([str(DOCKER_HERE), *words], dict(os.environ), limit_s=IMAGES_LIMIT_S)
            assert said.code == 0, said.err
        yield _environment()
    finally:
        if stop and _ours():
            run([str(DOCKER_HERE), "down"], dict(os.environ), limit_s=DOWN_LIMIT_S)
            left = _left_behind(before)
            assert left == [], f"the engine left {left}"


def _ours() -> dict[str, str]:
    """What `docker-here env` says of an engine that it started and that runs; empty without."""
    said = run([str(DOCKER_HERE), "env"], dict(os.environ), limit_s=60)
    found = {}
    for line in said.out.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        found[name] = "".join(shlex.split(value))
    return found if "DOCKER_HOST" in found else {}


def _environment() -> dict[str, str]:
    found = dict(os.environ)
    for name, value in _ours().items():
        found[name] = value.replace("$PATH", os.environ["PATH"])
    host = found.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    found["DOCKER_SOCKET"] = host.removeprefix("unix://")
    return found


def _left_behind(networks: set[str]) -> list[str]:
    """Processes, mounts, networks and containers of the engine that is stopped."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = Path(os.environ.get("DOCKER_HERE_STATE") or cache / "docker-here")
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    return [
        *(f"the process {pid}" for pid in _processes_of(place)),
        *(
            f"the mount {line.split()[1]}"
            for line in mounts
            if line.split()[1].startswith(f"{place}/")
        ),
        *(f"the network {name}" for name in sorted(_networks() - networks)),
        *(f"the container {path.name}" for path in (place / "root/containers").glob("*")),
    ]


def _processes_of(place: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program = (process / "exe").readlink()
        except OSError:  # it has ended, or is the kernel's
            continue
        if program.is_relative_to(place):
            yield f"{process.name} of {program.name}"


def _networks() -> set[str]:
    """Bridges and cables of containers; what others make on this host is none of ours."""
    names = {path.name for path in Path("/sys/class/net").glob("*")}
    return {name for name in names if name.startswith(("docker", "br-", "veth"))}

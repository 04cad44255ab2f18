"""Where unpacked servers are kept for all stacks of one user, and the lock around filling it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.adapters.embedded.accounts import Account, can_reach
from shared.domain.errors import Refused, Transient

SYSTEM_CACHE = Path("/var/cache/bluegreen")
FILL_LIMIT_S = 600.0
"""How long a second `up` waits for the first one to fetch what both need."""


def cache_dir(owner: Account | None) -> Path:
    """The user's cache, or the host's where the servers' user cannot enter the user's."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    chosen = home / "bluegreen"
    if not can_reach(chosen, owner):
        chosen = SYSTEM_CACHE
    try:
        chosen.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"expected to write the cache directory {chosen}, found {error.strerror}",
            remedy="set XDG_CACHE_HOME to a directory that you and the servers' user can enter",
        ) from error
    if not can_reach(chosen, owner):
        raise Refused(
            f"expected a cache directory that user {owner.name if owner else ''} can enter, "
            f"found {chosen}",
            remedy="set XDG_CACHE_HOME to such a directory",
        )
    return chosen


@contextmanager
def filling(cache: Path) -> Iterator[None]:
    """Hold the cache's lock: one process at a time adds to it. It ends with the process."""
    deadline = time.monotonic() + FILL_LIMIT_S
    with (cache / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Transient(
                        f"another process has filled {cache} for {FILL_LIMIT_S:.0f} s; try again"
                    ) from None
                time.sleep(0.1)
        yield


def keep(cache: Path, name: str, fill: Callable[[Path, Path], None]) -> Path:
    """The directory `name` of the cache, made by `fill(work, final)` when it is not there yet.

    It appears whole or not at all: `fill` writes into `work`, which is then renamed to `final`.
    """
    final = cache / name
    if final.is_dir():
        return final
    with filling(cache):
        if final.is_dir():
            return final
        for left_over in cache.glob(".partial-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=".partial-", dir=cache))
        work.chmod(0o755)
        try:
            fill(work, final)
            work.rename(final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return final

"""One `up` or `down` of a state directory at a time, and what it makes can be entered."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.domain.errors import Refused, Transient

LOCK_LIMIT_S = 180.0
"""How long a second `up` or `down` of the same stack waits for the first."""


UNWRITABLE = (
    errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
)  # fmt: skip
"""What a place answers where nothing can be kept; any other error is ours."""


@contextmanager
def writable(root: Path) -> Iterator[None]:
    """Raises Refused when what is done meanwhile finds that nothing can be kept there."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise _unwritable(root, error) from error


def _unwritable(root: Path, error: OSError) -> Refused:
    return Refused(
        f"expected a state directory that can be written to, found at {error.filename or root}: "
        f"{error.strerror}",
        remedy="choose another --state-dir, or mend that and call `up` again",
    )


@contextmanager
def locked(root: Path, *, create: bool) -> Iterator[bool]:
    """One `up` or `down` at a time, by a lock on the directory itself: no file to leave behind.

    False, and nothing is locked, when it is not there and not to be created.
    """
    deadline = time.monotonic() + LOCK_LIMIT_S
    while True:
        if create:
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(root, error) from error
        elif not root.exists():
            yield False
            return
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if _try_lock(descriptor) and _is_same(descriptor, root):
                yield True
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise Transient(f"another `up` or `down` has worked on {root} for {LOCK_LIMIT_S:.0f} s")
        time.sleep(0.1)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same(descriptor: int, root: Path) -> bool:
    """Whether that directory still stands there: a `down` may have removed it meanwhile."""
    return root.exists() and os.path.samestat(os.fstat(descriptor), root.stat())


@contextmanager
def open_umask(mask: int = 0o022) -> Iterator[None]:
    """The servers' user must be able to enter what we make, whatever the person's umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)

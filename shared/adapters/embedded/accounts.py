"""Which user the servers run as, and whether that user can reach a path.

PostgreSQL and PgBouncer refuse to run as root, so root hands its servers to an unprivileged user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.domain.errors import Refused

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> Path:
        os.chown(path, self.uid, self.gid)
        return path


def server_account() -> Account | None:
    """The user that servers run as; None when we are not root, and they run as we do."""
    return None if os.getuid() != 0 else account(_first_known(CANDIDATES))


def account(name: str) -> Account:
    """That user of this host. Raises Refused when there is none."""
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise Refused(
            f"expected a user {name} on this host, found none",
            remedy=f"create the user {name}, or start the stack as a user that is not root",
        ) from error
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _first_known(names: tuple[str, ...]) -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in names if name in known), names[0])


def process_options(owner: Account | None) -> dict[str, object]:
    """Arguments for subprocess that make a child run as `owner`."""
    if owner is None:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []}


def can_reach(path: Path, owner: Account | None) -> bool:
    """Whether `owner` can enter (a directory) or read (a file) what is at `path`.

    Of a path that does not exist yet the nearest parent that does is asked.
    """
    while not path.exists() and path != path.parent:
        path = path.parent
    if owner is None:
        return os.access(path, os.X_OK if path.is_dir() else os.R_OK)
    asked = subprocess.run(
        [shutil.which("test") or "/usr/bin/test", "-x" if path.is_dir() else "-r", str(path)],
        check=False, cwd="/", timeout=10, user=owner.uid, group=owner.gid, extra_groups=[],
    )  # fmt: skip
    return asked.returncode == 0

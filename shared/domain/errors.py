"""Every error is of the family that says what the saga must do about it.

    MigrationError
    ├── Transient     try again: lock not available, connection lost, pooler slow
    │   └── Away      the server does not run, or only starts: wait until it is back
    ├── Refused       the request is wrong: never retried, the person is told why and what to do
    └── Broken        an invariant does not hold: stop, keep everything, call a person

Each message says what was expected, what was found and what happens next.
"""

from __future__ import annotations

from typing import ClassVar


class MigrationError(Exception):
    """Root of the tree; never raised itself."""

    family: ClassVar[str] = "broken"

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or type(self).__name__
        """Stable, for machines: the SQLSTATE where a server said it, else the class name."""
        self.position: int | None = None
        """Character in the text that was sent, from 1, where a server pointed at one."""
        self.completed: int | None = None
        """Statements of one message that succeeded before this error."""


class Transient(MigrationError):
    """The same call may succeed later: the saga tries again while attempts are left."""

    family = "transient"


class Away(Transient):
    """Nobody was let in, because nobody is there or the server only starts: nothing was begun, and
    the same call succeeds once it is back. The saga waits for it instead of counting attempts."""

    family = "away"


class Refused(MigrationError):
    """What was asked cannot be done: nothing was changed by the refusal, no retry."""

    family = "refused"


class Broken(MigrationError):
    """Something that must hold does not: the saga undoes what it can, or calls a person."""

    family = "broken"


FAMILIES: dict[str, type[MigrationError]] = {
    kind.family: kind for kind in (Transient, Away, Refused, Broken)
}
"""By the name under which an error travels from one process to another."""


class AnotherJob(Refused):
    """Another job is live on this database; `job` is its id (exit 5)."""

    def __init__(self, job: str) -> None:
        super().__init__(
            f"job {job} is live on this database, and only one may be",
            remedy=f"`bluegreen watch {job}` follows it, `bluegreen abort {job}` ends it",
        )
        self.job = job


class AlreadyApplied(Refused):
    """The same file was completed on this database by `job`: nothing to do (exit 0)."""

    def __init__(self, job: str, file_name: str) -> None:
        super().__init__(f"{file_name} is already applied: job {job} completed it")
        self.job = job


class EditedAfterApplied(Refused):
    """A file of this name was completed with other contents (exit 2)."""

    def __init__(self, job: str, file_name: str) -> None:
        super().__init__(
            f"{file_name} was applied by job {job} and has been edited since",
            remedy="restore the file, and put the new statements into a new file",
        )
        self.job = job

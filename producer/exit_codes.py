"""The exit codes, for pipelines to branch on: documented in docs/cli.md, never renumbered."""

from __future__ import annotations

from enum import IntEnum

from shared.domain.errors import AlreadyApplied, AnotherJob, Broken, MigrationError, Transient
from shared.domain.kinds import Outcome


class ExitCode(IntEnum):
    DONE = 0
    """Done, or nothing to do."""
    ROLLED_BACK = 1
    """Failed, and everything is as it was before."""
    USAGE = 2
    """Usage or bad input: nothing was enqueued."""
    REFUSED = 3
    """Refused by validation or preflight."""
    WAITING_FOR_APPROVAL = 4
    ANOTHER_JOB = 5
    """Another job holds the database."""
    STILL_RUNNING = 6
    """`--wait-timeout` is over; the job goes on."""
    NEEDS_OPERATOR = 7
    UNREACHABLE = 69
    """A service is not reachable (EX_UNAVAILABLE of sysexits.h)."""
    INTERRUPTED = 130
    """Ctrl-C while following; the job goes on."""


_OF_OUTCOME = {
    Outcome.COMPLETED: ExitCode.DONE,
    Outcome.ROLLED_BACK: ExitCode.ROLLED_BACK,
    Outcome.REFUSED: ExitCode.REFUSED,
    Outcome.NEEDS_OPERATOR: ExitCode.NEEDS_OPERATOR,
}


def of_outcome(outcome: Outcome, *, wanted: Outcome = Outcome.COMPLETED) -> ExitCode:
    """The code of a job that ended; a job that was asked to roll back and did so is done."""
    return ExitCode.DONE if outcome is wanted else _OF_OUTCOME[outcome]


def of_error(error: MigrationError) -> ExitCode:
    """The code of a command that could not do what it was asked for.

    A Refused error is the person's input (no such job, no such stack, a state that does not
    allow it); what validation refuses carries its own code (producer.errors.NotValid).
    """
    match error:
        case AlreadyApplied():
            return ExitCode.DONE
        case AnotherJob():
            return ExitCode.ANOTHER_JOB
        case Transient():
            return ExitCode.UNREACHABLE
        case Broken():
            return ExitCode.NEEDS_OPERATOR
        case _:
            return ExitCode.REFUSED if error.code == NOT_VALID else ExitCode.USAGE


NOT_VALID = "NotValid"
"""`code` of the error with which a command refuses a file that did not pass validation."""

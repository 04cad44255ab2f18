"""A pipeline branches on the code: each kind of end has its own."""

from __future__ import annotations

import pytest

from producer.cli import describe
from producer.exit_codes import NOT_VALID, ExitCode, of_error
from shared.domain.errors import (
    AlreadyApplied,
    AnotherJob,
    Broken,
    EditedAfterApplied,
    MigrationError,
    Refused,
    Transient,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AlreadyApplied("20261123-7f3a", "a.sql"), 0),
        (Refused("no such job"), 2),
        (EditedAfterApplied("20261123-7f3a", "a.sql"), 2),
        (Refused("below the need", code=NOT_VALID), 3),
        (AnotherJob("20261123-7f3a"), 5),
        (Broken("another server answers"), 7),
        (Transient("Redis is not reachable"), 69),
    ],
)
def test_every_error_has_its_documented_code(error: MigrationError, code: int) -> None:
    assert of_error(error) == code


def test_a_defect_is_one_line_that_says_where_to_look() -> None:
    code, message, remedy, machine = describe(KeyError("x"))
    assert code is ExitCode.NEEDS_OPERATOR
    assert message == "unexpected KeyError: 'x'"
    assert "--debug" in remedy
    assert machine == "KeyError"

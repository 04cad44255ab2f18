"""Fixtures that any test may ask for; what they need is imported when one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack without agents for all tests of a session: leave it as you found it."""
    from tests.support.stack import running_stack

    with running_stack() as running:
        yield running

"""Fixtures for every floor; each test asks by name for what it needs."""

from collections.abc import Iterator

import pytest

from tests.support.journey import Journey, journey_on_a_stack


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A stack with its agents and the shop, one for each file of tests."""
    with journey_on_a_stack(None, tmp_path_factory.mktemp("journey")) as found:
        yield found

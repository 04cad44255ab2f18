"""A pair with the tables of tests/support/shapes.py, at rest before each test and after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.migration import Job
from tests.support.ladder import descend, left_over
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.shapes import FILE, MANY_ROWS, SCHEMA
from tests.support.sides import BLUE


@pytest.fixture(scope="module", params=VERSIONS)
def shaped(request: pytest.FixtureRequest) -> Iterator[tuple[Pair, Job]]:
    """The pair, and a job for the file of those tables, rehearsed."""
    with pair(request.param) as servers:
        servers.run(BLUE, SCHEMA + MANY_ROWS, user="app")
        yield servers, servers.rehearsed(FILE)


@pytest.fixture
def servers(shaped: tuple[Pair, Job]) -> Iterator[Pair]:
    yield shaped[0]
    descend(*shaped)
    assert left_over(shaped[0]) == []


@pytest.fixture
def job(shaped: tuple[Pair, Job]) -> Job:
    return shaped[1]

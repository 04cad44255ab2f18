"""A pair of each version for a file of tests: without tables, or at rest with those of `shapes`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.migration import Job
from tests.support.fake_pool import CountingPool
from tests.support.ladder import descend, left_over
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.shapes import FILE, MANY_ROWS, SCHEMA
from tests.support.sides import BLUE


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that the servers' user can enter."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def pool() -> CountingPool:
    return CountingPool()


@pytest.fixture(scope="module", params=VERSIONS)
def bare(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A pair whose application has no tables yet."""
    with pair(request.param) as servers:
        yield servers


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

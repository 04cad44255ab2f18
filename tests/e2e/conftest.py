"""One compose stack for all tests here: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.compose_stack import ComposeJourney, ComposeStack, running_compose_stack

TEST_LIMIT_S = 1200
"""The first one builds and starts the stack."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(TEST_LIMIT_S))


@pytest.fixture(autouse=True)
def no_job_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails in the middle of a job must not fail those after it."""
    yield
    if "journey" in request.fixturenames:
        found: ComposeJourney = request.getfixturevalue("journey")
        said = found.bluegreen("history", "--json")
        if said.code != 0:  # the test took the stack down, as the next one expects
            return
        for line in said.body["jobs"]:
            if line["outcome"] is None:
                found.bluegreen("abort", line["job"], limit_s=300)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    with running_compose_stack(tmp_path_factory.mktemp("compose")) as found:
        yield found


@pytest.fixture(scope="session")
def journey(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> ComposeJourney:
    """The shop stands in the stack."""
    found = ComposeJourney(stack, tmp_path_factory.mktemp("journey"))
    with psycopg.connect(found.doors["direct"]) as session:
        known = session.execute("SELECT to_regclass('ledger')").fetchone()
    if known == (None,):
        found.build_shop(2000)
    return found

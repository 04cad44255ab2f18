"""One compose stack for all tests here: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.command_lines import seen_command_lines
from tests.support.compose_stack import ComposeJourney, ComposeStack, running_compose_stack

TEST_LIMIT_S = 1200
"""The first one builds and starts the stack."""
FIGURES = pytest.StashKey[dict[str, Any]]()


LAST = "test_no_secret_is_seen"
"""Looks at what all tests before it left in logs and saw in command lines."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.name.startswith(LAST))
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(TEST_LIMIT_S))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What this run saw, for the log of CI; build/e2e/figures.json has it too."""
    for name, figure in config.stash.get(FIGURES, {}).items():
        terminalreporter.write_line(f"{name}: {figure}")


@pytest.fixture(autouse=True)
def no_job_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails in the middle of a job must not fail those after it."""
    yield
    if "journey" in request.fixturenames:
        found: ComposeJourney = request.getfixturevalue("journey")
        for job in found.live_jobs():
            found.bluegreen("abort", job, limit_s=300)


@pytest.fixture(scope="session", autouse=True)
def command_lines() -> Iterator[set[str]]:
    """Those of every process while the tests ran, up to now."""
    with seen_command_lines() as seen:
        yield seen


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[ComposeStack]:
    with running_compose_stack(tmp_path_factory.mktemp("compose")) as found:
        pytestconfig.stash[FIGURES] = found.figures
        yield found


@pytest.fixture(scope="session")
def journey(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> ComposeJourney:
    """The shop stands in the stack."""
    found = ComposeJourney(stack, tmp_path_factory.mktemp("journey"))
    with psycopg.connect(found.doors["direct"]) as session:
        known = session.execute("SELECT to_regclass('ledger')").fetchone()
    if known == (None,):
        found.shop.build(2000)
    return found

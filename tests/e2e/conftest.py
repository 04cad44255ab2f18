"""One compose stack for all tests here: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.compose_stack import ComposeJourney, ComposeStack, running_compose_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


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

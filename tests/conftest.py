"""Fixtures for every floor; each test asks by name for what it needs."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.command_line import CalledHere
from tests.support.journey import Journey, journey_on_a_stack
from tests.support.stack import Stack, running_stack
from tests.support.watched import Watching, watching

# How long an example takes is no property of ours: it depends on what else the host does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A stack with its agents and the shop, one for each file of tests."""
    with journey_on_a_stack(None, tmp_path_factory.mktemp("journey")) as found:
        yield found


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack without agents for all tests of a session: leave it as you found it."""
    with running_stack() as running:
        yield running


@pytest.fixture
def bluegreen(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CalledHere:
    """The command line for the stack of the file, called in an empty folder."""
    named = {"BLUEGREEN_STATE_DIR": str(stack.state_dir)}
    return CalledHere(tmp_path, named, monkeypatch, capsys)


@pytest.fixture
def watch(stack: Stack, tmp_path: Path) -> Iterator[Watching]:
    """Makes a monitor with these settings over the stack of the file."""
    with ExitStack() as all_of_them:
        yield lambda **monitor: all_of_them.enter_context(watching(stack, tmp_path, **monitor))

"""Work in a thread: begun once, its end seen once, its error told once."""

import threading
from functools import partial

import pytest

from shared.domain.errors import Refused
from workers.replicator.background import Background


def test_work_goes_on_between_two_looks_and_is_begun_once() -> None:
    background, may_end, begun = Background(), threading.Event(), []

    def work() -> None:
        begun.append(1)
        may_end.wait(10)

    for _ in range(2):
        background.start("key", work)
        assert background.knows("key")
        assert not background.wait("key", 0.01)
    may_end.set()
    assert background.wait("key", 10)
    assert begun == [1]
    assert not background.knows("key")


def test_an_error_reaches_the_next_look_and_only_that_one() -> None:
    """Also one that nobody expects, such as a program that is not there: else the step would begin
    the same work again and again."""
    background = Background()
    for error in (Refused("no such column"), FileNotFoundError("no such program")):
        work = partial(_fail, error)
        background.start("key", work)
        with pytest.raises(type(error), match="no such"):
            background.wait("key", 10)
        assert background.wait("key", 0)


def _fail(error: Exception) -> None:
    raise error


def test_work_that_ended_unseen_is_not_begun_again() -> None:
    background, begun = Background(), []
    background.start("key", lambda: begun.append(1))
    threads = [thread for thread in threading.enumerate() if thread.name == "key"]
    for thread in threads:
        thread.join(10)
    background.start("key", lambda: begun.append(2))
    assert background.wait("key", 10)
    assert begun == [1]


def test_nothing_begun_is_nothing_to_wait_for() -> None:
    assert Background().wait("key", 0)

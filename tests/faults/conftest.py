"""One pair with its pooler for each file of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.environment import Colour
from tests.support.wait import until
from tests.support.wired_pair import Pair, wired_pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with wired_pair(15) as made:
        yield made


@pytest.fixture
def blue_serves(pair: Pair) -> None:
    """Where every test begins, whichever was before it: the wire carries, green is the new side."""
    pair.wire.mend()
    until(
        lambda: pair.serving is Colour.BLUE or pair.run() == "switched",
        limit_s=120, what="blue serves",
    )  # fmt: skip

"""docs/saga.md says what the tables say."""

from __future__ import annotations

from pathlib import Path

from shared.saga.page import page

DOCS = Path(__file__).parents[3] / "docs" / "saga.md"


def test_the_page_is_printed_from_the_tables():
    stale = "docs/saga.md is stale: run `make docs`"
    assert DOCS.read_text(encoding="utf-8") == page(), stale

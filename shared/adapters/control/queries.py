"""The named statements of queries.sql: `QUERIES["lease"]`."""

from __future__ import annotations

from importlib.resources import files


def read_queries(text: str) -> dict[str, str]:
    """Statements by name: each begins with a line `-- name: ...`, then a sentence, then SQL."""
    _, *blocks = text.split("-- name: ")
    return {name.strip(): sql for name, _, sql in (block.partition("\n") for block in blocks)}


QUERIES = read_queries(files(__package__).joinpath("queries.sql").read_text(encoding="utf-8"))

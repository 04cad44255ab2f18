"""Files that cannot be carried are refused at the start, with statement and remedy."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.errors import Refused
from tests.corpus.case import Refusal
from tests.support.migrated_server import migrated_server, room


def refused_otherwise(version: int, refusals: Sequence[Refusal]) -> dict[str, list[str]]:
    """By name: what was expected of the refusal and not found; empty where all of it was."""
    found: dict[str, list[str]] = {}
    if not refusals:
        return found
    with migrated_server(version, "CREATE SCHEMA shape") as server:
        for refusal in refusals:
            with server.connect("app", "app") as connection:
                connection.execute(
                    "DROP SCHEMA shape CASCADE; CREATE SCHEMA shape; SET search_path = shape;"
                    f"{refusal.schema}"
                )
            try:
                room(server).rehearse(f"SET search_path = shape;\n{refusal.file}")
                found[refusal.name] = ["expected a refusal, found the file carried"]
            except Refused as error:
                found[refusal.name] = [
                    f"expected `{wanted}`, found: {text}"
                    for wanted, text in (
                        (refusal.says, error.message),
                        (refusal.remedy, error.remedy),
                    )
                    if wanted not in text
                ]
    return found

"""The measured cases measured again: the trace sees on a real server what the cases say."""

from __future__ import annotations

import json

import pytest

from shared.adapters.trace.file_trace import FileTrace
from shared.adapters.trace.schema import SchemaRoom
from shared.domain.errors import Refused
from shared.sql.parse import read
from tests.support.trace_rooms import databases, quick_server
from tests.support.validator_cases import DATA

ROWS = [json.loads(line) for line in (DATA / "cases.jsonl").read_text("utf-8").splitlines()]
FACTS = {
    "rewritten": "rewrites",
    "blocked_read_tables": "blocks_reads_of",
    "blocked_write_tables": "blocks_writes_of",
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", [15, 16, 18])
def test_the_cases_are_measured_again(version):
    wrong, measured = [], 0
    with quick_server(version) as server:
        for schema in sorted({row["setup"] for row in ROWS}):
            rows = [r for r in ROWS if r["setup"] == schema and version in r["measured_on"]]
            room = SchemaRoom(server)
            room.prepare(
                read("GRANT app_rw, app_ro TO reporting"),
                *(read(row["sql"]) for row in rows if not_missing(row)),
            )
            try:
                room.build(schema)
            except Refused:  # an extension that is not installed here
                continue
            readings = [(row, read(row["sql"])) for row in rows]
            readable = [(row, reading) for row, reading in readings if not reading.problems]
            for (row, reading), database in zip(readable, databases(room), strict=False):
                found = FileTrace(server, database).run(reading.statements)
                measured += 1
                wrong += [(row["id"], *d) for d in differences(row, version, found)]
    assert measured > 240
    assert not wrong, "\n".join(map(str, wrong))


def not_missing(row):
    """Roles and tablespaces are made for files that are valid: a missing one is a case."""
    return row["expect"]["valid"]


def differences(row, version, found):
    expect = row["expect"] | row["expect_on"].get(str(version), {})
    if expect["valid"] is not None and expect["valid"] == bool(found.failed):
        yield "valid", expect["valid"], found.failed and found.failed.error
    if found.failed or not expect["valid"]:
        return
    if expect["locks"] is not None and expect["locks"] != found.locks:
        yield "locks", expect["locks"], found.locks
    for fact, name in FACTS.items():
        if expect[fact] is not None and expect[fact] != found.names(name):
            yield fact, expect[fact], found.names(name)

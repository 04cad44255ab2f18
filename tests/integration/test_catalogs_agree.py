"""Of the unseen files the same is said with a schema as it was written, as pg_dump writes it, and
as it is read from a live database."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from shared.adapters.schema.catalog_reader import read_catalog
from shared.adapters.trace.schema import TEMPLATE, SchemaRoom
from shared.sql.analysis import build
from shared.sql.parse import read
from shared.sql.validate import validate
from tests.support.hazards import is_hazardous
from tests.support.trace_rooms import quick_server
from tests.support.unseen_files import SETS, files, schemas, setup
from tests.support.validator_cases import ROLES

VERSION = 18
LEAST = 0.99
"""Share of files of which all of it is the same: a server tells more of what foreign keys and
constraints of partitions hold than a text does."""


@pytest.fixture(scope="module")
def server():
    with quick_server(VERSION) as server:
        yield server


@pytest.mark.timeout(300)
def test_a_dump_and_a_live_database_say_what_the_schema_says(server):
    agreed, asked, wrong = Counter(), Counter(), []
    for folder in SETS.values():
        for schema in schemas(folder):
            written, *others = _catalogs(server, setup(schema, folder))
            for _, sql in files(schema, folder):
                expected = _said(sql, written)
                for kind, catalog in zip(("dump", "live"), others, strict=True):
                    found = _said(sql, catalog)
                    asked[kind] += 1
                    agreed[kind] += found == expected
                    if found != expected:
                        wrong.append((kind, sql, expected, found))
                    assert found[0] == expected[0], (kind, sql)
    for kind, count in asked.items():
        assert count > 1600
        assert agreed[kind] >= LEAST * count, "\n".join(map(str, wrong))


def _catalogs(server, schema):
    room = SchemaRoom(server)
    room.prepare(read("GRANT app_rw, app_ro TO reporting; CREATE TABLE a () TABLESPACE fast_ssd"))
    room.build(schema)
    place = ["-h", str(server.socket_dir), "-U", "postgres", TEMPLATE]
    dumped = subprocess.run(
        [server.binaries.program("pg_dump"), "--schema-only", *place],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = [build(ROLES + text, version=VERSION)[0] for text in (schema, dumped)]
    with server.session(TEMPLATE) as session:
        found.append(read_catalog(session)[0])
    for catalog in found:
        catalog.settings["timezone"] = "UTC"
        catalog.roles, catalog.available_extensions = None, None
    return found


def _said(sql, catalog):
    """Whether it is hazardous, and the facts; only whether there is an error, which each words."""
    found = validate(sql, file="m.sql", server_version=VERSION, catalog=catalog)
    facts = (found.locks, found.rewrites_tables, found.blocks_reads_of, found.blocks_writes_of)
    return is_hazardous(found), bool(found.errors), facts

"""A table that is split gives its values back where no role of ours is a superuser, too."""

from __future__ import annotations

import pytest

from tests.support.ladder import ladder
from tests.support.remote_pair import BLUE, GREEN, remote_pair
from tests.support.steps import done, undone

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, bio text);
INSERT INTO t SELECT n, 'bio ' || n FROM generate_series(1, 4) n;
"""
SPLIT = """
CREATE TABLE bios (t_id int PRIMARY KEY, bio text);
INSERT INTO bios SELECT id, bio FROM t; ALTER TABLE t DROP COLUMN bio
"""


@pytest.mark.parametrize("version", [16, 18])
def test_what_the_new_table_has_is_in_the_old_column(version: int) -> None:
    with remote_pair(version, superuser=False) as servers:
        servers.run(BLUE, SCHEMA, user="app")
        job = servers.rehearsed(SPLIT)
        steps = ladder(servers.nodes, servers.databases)
        try:
            for step in steps.values():
                done(step, job)
            servers.run(GREEN, "SELECT bluegreen_job.to_final()")  # as the cutover calls it
            servers.run(
                GREEN,
                "SET ROLE app; UPDATE bios SET bio = 'used' WHERE t_id = 2;"
                "DELETE FROM bios WHERE t_id = 3; UPDATE t SET id = 5 WHERE id = 4",
            )
            landing = servers.value(
                GREEN,
                "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass"
                " AND attname LIKE 'bluegreen%'",
            )
            kept = f"SELECT id, {landing} FROM t ORDER BY id"
            assert servers.rows(GREEN, kept) == [(1, "bio 1"), (2, "used"), (3, None), (5, "bio 4")]
            servers.run(GREEN, "SET ROLE app; TRUNCATE bios")
            assert {bio for _, bio in servers.rows(GREEN, kept)} == {None}
            servers.run(GREEN, "SET ROLE app; INSERT INTO t VALUES (6)")
            assert servers.value(GREEN, "SELECT count(*) FROM bios") == 0
            servers.run(GREEN, "SELECT bluegreen_job.to_sync()")
        finally:
            for step in reversed(steps.values()):
                undone(step, job)

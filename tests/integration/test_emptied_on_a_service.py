"""Where no role of ours is a superuser, the rows of an emptied partition go first, too."""

from __future__ import annotations

from tests.support.ladder import ladder
from tests.support.remote_pair import BLUE, GREEN, remote_pair
from tests.support.steps import done, undone

SCHEMA = """
CREATE TABLE kinds (kind int PRIMARY KEY);
CREATE TABLE days (day int, kind int REFERENCES kinds, PRIMARY KEY (day)) PARTITION BY LIST (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);
CREATE TABLE day_2 PARTITION OF days FOR VALUES IN (2);
CREATE TABLE gone (day int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO gone VALUES (old.day); RETURN old; END';
CREATE TRIGGER note AFTER DELETE ON days FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE gone ADD PRIMARY KEY (day);
INSERT INTO kinds VALUES (1); INSERT INTO days VALUES (1, 1), (2, 1);
"""
SENT = """
SELECT count(*) FROM pg_logical_slot_peek_binary_changes('seen', NULL, NULL,
    'proto_version', '1', 'publication_names', 'bluegreen_reverse')
WHERE get_byte(data, 0) = ascii('D')
"""


def test_deleted_as_the_owner_and_nothing_of_the_application_fires() -> None:
    with remote_pair(18, superuser=False) as servers:
        servers.run(BLUE, SCHEMA, user="app")
        job = servers.rehearsed("ALTER TABLE days ADD COLUMN n int")
        steps = ladder(servers.nodes, servers.databases)
        try:
            for step in steps.values():
                done(step, job)
            servers.run(GREEN, "SELECT pg_create_logical_replication_slot('seen', 'pgoutput')")
            servers.run(GREEN, "SET ROLE app; TRUNCATE day_2")
            assert servers.rows(GREEN, "SELECT day FROM days") == [(1,)]
            assert servers.rows(GREEN, "SELECT day FROM gone") == []
            assert servers.value(GREEN, SENT) == 1
            servers.run(GREEN, "SELECT pg_drop_replication_slot('seen')")
        finally:
            for step in reversed(steps.values()):
                undone(step, job)

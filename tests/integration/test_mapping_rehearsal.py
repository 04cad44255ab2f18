"""A file is rehearsed on copies of the schema: the mapping says what it does, or why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.errors import Refused
from shared.mapping.model import Mapping
from tests.support.cluster import Server
from tests.support.migrated_server import migrated_server, room
from tests.support.shapes import FILE, SCHEMA

MORE = """
CREATE FUNCTION reads_tables(bigint) RETURNS text STABLE LANGUAGE sql
    AS 'SELECT note FROM orders WHERE id = $1';
CREATE TABLE tagged (tag text);
ALTER TABLE tagged REPLICA IDENTITY FULL;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with migrated_server(15, SCHEMA + MORE) as running:
        yield running


def rehearse(server: Server, sql: str) -> Mapping:
    return Mapping.model_validate(room(server).rehearse(sql).mapping)


def test_the_mapping_names_every_column_in_both_shapes(server: Server) -> None:
    rehearsed = room(server).rehearse(FILE)
    assert rehearsed.run_as == "app"
    mapping = Mapping.model_validate(rehearsed.mapping)
    users = next(table for table in mapping.tables if table.sync.name == "users")
    kinds = {(c.kind, c.sync, c.final) for c in users.columns}
    assert kinds == {
        ("kept", "id", "id"),
        ("kept", "mail", "email"),
        ("kept", "age", "age"),
        ("landing", "bio", "bluegreen_l_bio"),
        ("computed", "bluegreen_r_bio", "bio"),
        ("dropped", "legacy", "legacy"),
        ("landing", "price", "bluegreen_l_price"),
        ("computed", "bluegreen_r_price", "price"),
        ("kept", "mood", "mood"),
        ("new", "tier", "tier"),
        ("new", "score", "score"),
    }
    assert Mapping.model_validate_json(mapping.model_dump_json()) == mapping
    assert room(server).is_clear()


REFUSED = [
    ("TRUNCATE audit", "line 1: this kind of statement cannot be kept in sync: TRUNCATE audit"),
    ("DO $$ BEGIN END $$", "cannot be kept in sync"),
    ("SELECT setval('audit_id_seq', 1)", "cannot be kept in sync"),
    ("CREATE TABLE copied AS SELECT * FROM users", "copied holds no unique copy of the key"),
    ("DELETE FROM audit", "cannot be kept in sync"),
    ("INSERT INTO audit (what) VALUES ('x')", "rows that the file inserts into an existing table"),
    (
        "CREATE TABLE fresh (id int); INSERT INTO fresh SELECT id FROM users",
        "fresh holds no unique copy of the key of users",
    ),
    ("UPDATE users SET age = o.id FROM orders o WHERE o.id = users.id", "UPDATE with FROM"),
    ("UPDATE users SET bio = 'x' WHERE id IN (SELECT user_id FROM orders)", "a sub-select"),
    ("UPDATE users SET bio = now()::text", "the function now"),
    ("UPDATE users SET age = random() * 10", "the volatile function random"),
    ("UPDATE users SET bio = to_jsonb(users)::text", "the row as a whole"),
    ("UPDATE users SET bio = CURRENT_DATE::text", "the time or the user of the session"),
    ("UPDATE users SET bio = reads_tables(id)", "the function reads_tables, which may read"),
    ("UPDATE users SET id = id + 1", "a column of the key of users gets other values"),
    ("ALTER TABLE touched ALTER id TYPE text", "a column of the key of touched gets other"),
    (
        "DROP VIEW user_card; ALTER TABLE users DROP COLUMN id",
        "the file changes the key of users",
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ALTER id DROP NOT NULL",
        "the file changes the key of users",
    ),
    (
        "DROP TABLE audit; CREATE TABLE audit (id int PRIMARY KEY)",
        "table audit is dropped and made again under the same name",
    ),
    ("ALTER TABLE logs DETACH PARTITION logs_early", "rows would leave the table"),
    ("ALTER TABLE audit SET UNLOGGED", "an unlogged table is not replicated"),
    ("UPDATE logs_early SET what = NULL", "logs_early is a partition"),
    ("UPDATE user_card SET price = 1", "user_card is a view"),
    ("-- bluegreen: down users.mail = mail\nDROP TABLE audit", "names no column that the file"),
    ("-- bluegreen: down gone.x = 1\nDROP TABLE audit", "there is no table gone"),
    (
        "-- bluegreen: down users.age = nothing\nALTER TABLE users ALTER age TYPE text",
        'line 1: down users.age: column "nothing" does not exist',
    ),
    (
        "-- bluegreen: at-cutover\nALTER TABLE users ADD COLUMN x int",
        "line 2: only INSERT, UPDATE, DELETE and MERGE run in the pause",
    ),
    (
        "ALTER TABLE audit ALTER what TYPE varchar(9);\nDROP TABLE missing",
        'line 2: fails on an empty copy of the schema (table "missing" does not exist)',
    ),
    (
        "ALTER TABLE audit ALTER what TYPE varchar(9);"
        " CREATE VIEW everything AS SELECT * FROM audit",
        "the file cannot be kept in sync",
    ),
    (
        "ALTER TABLE touched ALTER n TYPE text; CREATE TABLE copied (LIKE touched)",
        "on the target the schema would not end as the file makes it",
    ),
    (
        "CREATE TRIGGER late BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();"
        " UPDATE users SET age = 1",
        "the UPDATE would fire a trigger that the file itself makes",
    ),
    ("ALTER TABLE tagged ADD COLUMN more int", "columns of tagged, whose REPLICA IDENTITY is FULL"),
]


@pytest.mark.parametrize(("sql", "why"), REFUSED)
def test_what_cannot_be_carried_is_refused_with_a_remedy(
    server: Server, sql: str, why: str
) -> None:
    with pytest.raises(Refused) as found:
        rehearse(server, sql)
    assert why in found.value.message
    assert found.value.remedy
    assert room(server).is_clear()


def test_a_table_without_a_key_is_refused(server: Server) -> None:
    with server.connect("app", "app") as connection:
        connection.execute("CREATE TABLE keyless (n int)")
        try:
            with pytest.raises(Refused, match="table keyless has no key") as found:
                rehearse(server, "DROP TABLE audit")
            assert "REPLICA IDENTITY FULL" in found.value.remedy
        finally:
            connection.execute("DROP TABLE keyless")


def test_copies_that_a_dead_run_left_are_dropped_by_the_next(server: Server) -> None:
    with server.connect() as admin:
        admin.execute("CREATE DATABASE bluegreen_rehearsal_plain")
    assert not room(server).is_clear()
    rehearse(server, "DROP TABLE audit")
    assert room(server).is_clear()


def test_the_newest_server_tells_row_local_expressions_apart_as_the_oldest_does() -> None:
    with migrated_server(18, SCHEMA + MORE) as newest:
        for sql, why in REFUSED:
            if sql.startswith("UPDATE users SET"):
                with pytest.raises(Refused) as found:
                    rehearse(newest, sql)
                assert why in found.value.message

"""`validate --trace`: what a throw-away server did stands beside what was said beforehand."""

from __future__ import annotations

import pytest

from shared.adapters.trace.file_trace import FileTrace
from shared.adapters.trace.schema import SchemaRoom
from shared.adapters.trace.throwaway import throw_away_server
from shared.sql.observation import disagreements
from shared.sql.parse import read
from shared.sql.validate import validate
from tests.support.cluster import postgres
from tests.support.command_line import CommandLine

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email varchar(80), age int);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total numeric);
CREATE INDEX orders_total ON orders (total);
ALTER TABLE orders OWNER TO shop;
INSERT INTO users SELECT g, 'u' || g, g FROM generate_series(1, 200) g;
INSERT INTO orders SELECT g, g, g FROM generate_series(1, 200) g;
"""


@pytest.fixture(scope="module", params=(15, 18))
def room(request):
    with throw_away_server(request.param) as server:
        room = SchemaRoom(server)
        room.prepare(read(SCHEMA))
        room.build(SCHEMA)
        yield room


def seen(room, sql):
    return FileTrace(room.server, room.fresh()).run(read(sql).statements)


def test_locks_copies_and_waits_are_those_of_each_statement(room):
    found = seen(
        room,
        "SET lock_timeout = '2s';\n"
        "ALTER TABLE orders ALTER COLUMN total TYPE float8;\n"
        "ALTER TABLE users ADD COLUMN note text;",
    )
    _, retype, add = found.statements
    assert retype.locks == {"orders": "AccessExclusiveLock"}
    assert retype.rewrites == retype.blocks_reads_of == retype.blocks_writes_of == ("orders",)
    assert add.locks == {"users": "AccessExclusiveLock"}
    assert (add.rewrites, add.blocks_reads_of) == ((), ())
    assert all(each.milliseconds > 0 for each in (retype, add))


def test_a_copy_to_the_client_is_run_and_thrown_away(room):
    copied, failed = (
        seen(room, sql).statements[-1]
        for sql in ("COPY users TO STDOUT; SELECT 1", "COPY nobody TO STDOUT")
    )
    assert not copied.error
    assert failed.sqlstate == "42P01"


@pytest.mark.parametrize(
    ("sql", "locks"),
    [
        ("CREATE INDEX CONCURRENTLY i ON users (age)", {"users": "ShareUpdateExclusiveLock"}),
        ("DROP INDEX CONCURRENTLY orders_total", {"orders": "ShareUpdateExclusiveLock"}),
        ("REINDEX INDEX CONCURRENTLY orders_total", {"orders": "ShareUpdateExclusiveLock"}),
        ("VACUUM users", {"users": "ShareUpdateExclusiveLock"}),
        ("VACUUM FULL users", {"users": "AccessExclusiveLock"}),
    ],
)
def test_what_runs_outside_a_transaction_is_watched(room, sql, locks):
    found = seen(room, sql)
    assert not found.failed
    assert found.locks == locks


def test_what_a_block_holds_from_before_keeps_clients_waiting(room):
    found = seen(
        room,
        "BEGIN; ALTER TABLE orders ADD COLUMN a int; UPDATE orders SET a = 1; COMMIT;",
    )
    assert found.names("blocks_reads_of") == ["orders"]
    assert found.names("rewrites") == []


def test_the_first_failure_ends_it_and_says_why(room):
    found = seen(room, "SELECT 1; DROP TABLE users; SELECT 2")
    assert [bool(each.error) for each in found.statements] == [False, True]
    assert found.failed.sqlstate == "2BP01"


def test_a_deferred_failure_is_that_of_its_commit(room):
    found = seen(
        room,
        "ALTER TABLE orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE INITIALLY DEFERRED;"
        "INSERT INTO orders VALUES (999, 999, 0);",
    )
    assert found.failed.sqlstate == "23503"


def test_what_was_said_wrongly_is_named(room):
    """Without the schema a change of type is taken to copy the table; with it, it is free."""
    sql = "SELECT 1;\nALTER TABLE users ALTER COLUMN email TYPE text;"
    found = disagreements(validate(sql, file="f"), seen(room, sql))
    assert [(d.fact, d.line, d.said, d.seen) for d in found] == [
        ("rewritesTables", 1, "users", "not users"),
        ("blocksReadsOf", 1, "users", "not users"),
        ("blocksWritesOf", 1, "users", "not users"),
    ]


@pytest.fixture
def bluegreen(tmp_path):
    line = CommandLine(tmp_path)
    line.write("schema.sql", SCHEMA)
    return line


def test_the_command_adds_the_trace_and_refuses_what_the_server_refuses(bluegreen):
    names = (
        bluegreen.write("good.sql", "ALTER TABLE users ALTER COLUMN age TYPE bigint;"),
        bluegreen.write("wrong.sql", "GRANT shop TO shop;"),
        bluegreen.write("hostile.sql", "COPY users TO PROGRAM 'touch x';"),
    )
    options = ("--trace", "--schema", "schema.sql", "--server-version", "16", "--format", "json")
    answer = bluegreen("validate", *options, *names)
    assert answer.code == 3, answer.err
    good, wrong, hostile = answer.body
    assert good["isValid"]
    assert good["trace"]["disagreements"] == []
    assert good["trace"]["statements"][0]["locks"] == {"users": "AccessExclusiveLock"}
    assert good["trace"]["serverVersion"].startswith("16.")
    assert not wrong["isValid"]
    assert wrong["trace"]["disagreements"][0]["fact"] == "valid"
    assert wrong["errors"][0]["line"] == 1
    assert "trace" not in hostile


def test_a_schema_that_cannot_be_built_is_refused_with_the_servers_words(bluegreen):
    bluegreen.write("broken.sql", "CREATE TABLE a (b no_such_type);")
    name = bluegreen.write("f.sql", "SELECT 1;")
    answer = bluegreen("validate", "--trace", "--schema", "broken.sql", name)
    assert answer.code == 2
    assert 'type "no_such_type" does not exist' in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err


def test_a_risky_file_is_rehearsed_and_its_mapping_told(bluegreen):
    bluegreen.write("schema.sql", SCHEMA)
    carried = bluegreen.write(
        "carried.sql",
        "ALTER TABLE users RENAME COLUMN email TO mail;\n"
        "ALTER TABLE users ALTER COLUMN age TYPE text USING 'age ' || age;",
    )
    refused = bluegreen.write(
        "refused.sql",
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';\n"
        "UPDATE users SET age = f(age);",
    )
    options = ("--trace", "--schema", "schema.sql", "--type", "risky", "--format", "json")
    answer = bluegreen("validate", *options, carried, refused)
    assert answer.code == 3, answer.err
    good, bad = (body["blueGreen"] for body in answer.body)
    assert (good["ready"], good["seenBy"]) == (True, "rehearsal")
    assert "users.email becomes mail in the pause" in good["mapping"]
    assert any(line.startswith("users.age lands beside") for line in good["mapping"])
    assert not bad["ready"]
    assert "the volatile function f" in answer.body[1]["errors"][0]["message"]


def test_a_live_database_adds_sizes_and_traffic(bluegreen):
    with postgres(15) as server:
        with server.connect() as connection:
            connection.execute("CREATE DATABASE shop_live")
        with server.connect("shop_live") as connection:
            connection.execute("CREATE ROLE shop")
            connection.execute(SCHEMA)
        name = bluegreen.write("f.sql", "ALTER TABLE orders ALTER COLUMN total TYPE float8;")
        asked = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_NAME": "shop_live",
                 "DB_USER": "postgres"}  # fmt: skip
        answer = bluegreen("validate", "--live", "--trace", "--format", "json", name, **asked)
        absent = bluegreen("validate", "--live", name, **(asked | {"DB_PORT": "1"}))
    assert answer.code == 0, answer.err
    assert answer.body["serverVersion"] == 15
    assert "orders: " in answer.body["warnings"][0]["message"]
    assert "writes/s, blocked for about" in answer.body["warnings"][0]["message"]
    assert answer.body["trace"]["disagreements"] == []
    assert absent.code == 69
    assert "127.0.0.1:1 is not reachable" in absent.line

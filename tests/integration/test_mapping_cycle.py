"""Two different schemas in sync: forward under writes, switched, back, forward again, finished."""

from __future__ import annotations

import psycopg
import pytest

from shared.mapping.model import Table
from shared.mapping.prepare import settle_source
from tests.support import more_shapes
from tests.support.cluster import Server
from tests.support.shapes import FILE, ROWS, SCHEMA
from tests.support.two_shapes import TwoShapes, two_shapes
from tests.support.wait import until


def contents(world: TwoShapes, server: Server, database: str) -> dict[str, list[tuple]]:
    """Rows of every replicated table in its final shape, in the order of the final columns."""
    return {
        table.final.name: world.rows_of(server, final_rows(table), database)
        for table in world.mapping.tables
    }


def final_rows(table: Table) -> str:
    columns = [c.final for c in table.columns if c.on_target and c.kind != "landing"]
    listed = ", ".join(f'"{name}"::text' for name in sorted(columns))
    key = ", ".join(f'"{column.final}"' for column in table.key_columns)
    return f"SELECT {listed} FROM {table.final.sql} ORDER BY {key}"


def same_in_sync(world: TwoShapes) -> None:
    """Both sides hold the old shape's rows alike."""
    for table in world.mapping.tables:
        listed = ", ".join(f'"{c.sync}"::text' for c in table.columns if c.published)
        key = ", ".join(f'"{name}"' for name in table.key)
        query = f"SELECT {listed} FROM {table.sync.sql} ORDER BY {key}"
        assert world.rows_of(world.source, query) == world.rows_of(world.target, query)


def write_users(connection: psycopg.Connection, count: int) -> None:
    connection.execute(
        "INSERT INTO users (mail, age, bio, legacy, price) VALUES (%s, %s, %s, 'old', %s)",
        (f"late{count}@x", count % 90 or None, f'a "quoted" {count} % text', count),
    )
    connection.execute("UPDATE users SET price = price + 1 WHERE id = %s", (count % 300 + 1,))
    connection.execute("UPDATE users SET age = %s WHERE id = %s", (count % 95, count % 200 + 1))
    connection.execute("UPDATE users SET legacy = 'n' WHERE id = %s", (count % 200 + 1,))


def write_others(connection: psycopg.Connection, count: int) -> None:
    connection.execute("INSERT INTO orders (user_id, note) VALUES (%s, 'late')", (count % 99 + 1,))
    connection.execute("INSERT INTO events (code) VALUES ('late')")
    connection.execute("INSERT INTO logs (day, what) VALUES ('2026-02-02', '{\"late\": 1}')")
    connection.execute("UPDATE touched SET n = n + 1 WHERE id = %s", (count % 20 + 1,))
    connection.execute("UPDATE users SET bio = NULL WHERE id = %s", (count % 300 + 400,))
    connection.execute("DELETE FROM users WHERE id = %s", (count % 100 + 800,))


def use_new_shape(connection: psycopg.Connection) -> None:
    """What an application does on the target after the cutover."""
    connection.execute(
        "INSERT INTO users (email, age, bio, price, tier, score)"
        " SELECT 'green' || g, g, to_jsonb('green ' || g), g + 0.25, 'chosen', 1"
        " FROM generate_series(1, 50) g"
    )
    connection.execute("UPDATE users SET price = price + 1.11 WHERE id <= 100")
    connection.execute("UPDATE users SET age = age + 1 WHERE id BETWEEN 50 AND 150")
    connection.execute("UPDATE users SET bio = to_jsonb('written on green'::text) WHERE id = 7")
    connection.execute("UPDATE users SET bio = NULL WHERE id = 8")
    connection.execute("DELETE FROM users WHERE id BETWEEN 700 AND 710")
    connection.execute("INSERT INTO purchases (user_id, note) VALUES (1, 'bought on green')")
    connection.execute("INSERT INTO events (n) VALUES (5)")
    connection.execute("INSERT INTO logs (day, what) VALUES ('2025-01-01', '{}')")
    connection.execute("UPDATE touched SET n = 0")


@pytest.mark.parametrize("version", [15, 18])
def test_both_shapes_hold_the_same_rows_all_the_way(version: int) -> None:
    with two_shapes(version, SCHEMA, ROWS, FILE) as world:
        world.fork()
        with world.writing(write_users, write_others) as counts:
            world.apply()
            until(lambda: min(counts) > 20, limit_s=20, what="writes beside the file")
            world.caught_up(world.source, world.target)
        world.reference()
        world.switch()
        assert contents(world, world.target, "app") == contents(world, world.target, "reference")

        with world.target.connect("app", "app") as connection:
            use_new_shape(connection)
        wanted = world.rows_of(
            world.target,
            "SELECT id, email, age, bio #>> '{}', round(price * 100)::int, mood::text FROM users"
            " ORDER BY id",
        )
        world.back()
        found = world.rows_of(
            world.source, "SELECT id, mail, age, bio, price, mood::text FROM users ORDER BY id"
        )
        assert found == wanted
        same_in_sync(world)
        assert world.rows_of(world.target, "SELECT * FROM bluegreen_job.lost") == []
        born = world.rows_of(world.source, "SELECT DISTINCT legacy FROM users WHERE mail ~ 'green'")
        assert born == [("",)]
        world.run(world.source, *settle_source(world.mapping))
        assert world.shape(world.source, "app") == definitions_of(world)

        with world.source.connect("app", "app") as connection:
            write_users(connection, 5000)
        world.caught_up(world.source, world.target)
        world.reference()
        world.rederive()
        world.switch()
        assert contents(world, world.target, "app") == contents(world, world.target, "reference")
        world.finish()
        assert world.shape(world.target, "app") == world.shape(world.target, "reference")


def definitions_of(world: TwoShapes) -> list[str]:
    with world.source.connect() as admin:
        admin.execute("CREATE DATABASE fresh OWNER app")
    with world.source.connect("fresh", "app") as connection:
        connection.execute(world.schema)
    return world.shape(world.source, "fresh")


def write_everywhere(connection: psycopg.Connection, count: int) -> None:
    """The old shape of every table of the second schema."""
    connection.execute(
        "INSERT INTO people VALUES (gen_random_uuid(), 'Late@x', %s, 'junior', 'Lena', 'Late')",
        (count,),
    )
    connection.execute("UPDATE people SET plan = 'senior' WHERE mail = 'Mail7@X'")
    connection.execute("UPDATE people SET last = %s WHERE mail = 'Mail8@X'", (f"L{count}",))
    connection.execute("UPDATE swapped SET a = %s WHERE id = %s", (f"late{count}", count % 20))
    connection.execute(
        'UPDATE "Odd Names" SET "100 %%" = %s, "select" = %s WHERE "the key" = %s',
        (count, f"late {count}", f"k %{count % 20}"),
    )
    connection.execute(
        "UPDATE shirts SET colour = 'blue', sizes = '{l}' WHERE id = %s", (count % 20,)
    )
    connection.execute("INSERT INTO moving (v) VALUES ('late')")
    connection.execute("UPDATE tickets SET n = n + 1 WHERE year = %s", (2020 + count % 5,))
    connection.execute("DELETE FROM numbered WHERE id = %s", (count % 5,))
    connection.execute(
        "INSERT INTO numbered VALUES (%s, %s, 'b', 'n')", (count + 100, f"late {count}")
    )
    connection.execute("INSERT INTO measured (day, cents) VALUES ('2026-05-05', %s)", (count,))
    connection.execute("UPDATE measured SET cents = cents + 1 WHERE id = %s", (count % 10,))
    connection.execute("UPDATE stamped SET state = 'late' WHERE id = %s", (count % 10,))
    connection.execute("UPDATE old_name SET v = v + 1 WHERE id = %s", (count % 10,))
    connection.execute(
        "UPDATE bits SET yes = 1 - yes, body = 'late', at = now() WHERE id = %s", (count % 10,)
    )


USED = """
INSERT INTO people (id, email, age, plan, whole) VALUES
    ('00000000-0000-0000-0000-000000000001', 'new@x', 'y30', 'junior', 'Nora New');
UPDATE people SET whole = 'Otto Other' WHERE email = 'Mail9@X';
UPDATE people SET active = false WHERE email = 'Mail10@X';
UPDATE swapped SET a = 'was b' WHERE id = 3;
UPDATE "Odder 'Names'" SET "100 %" = 5000000000, "from %s" = 'gone %' WHERE "the key" = 'k %2';
UPDATE "Odder 'Names'" SET "100 %" = 77 WHERE "the key" = 'k %3';
INSERT INTO "Odder 'Names'" VALUES ('fresh', 6000000000, '');
UPDATE shirts SET paint = 'navy' WHERE id = 4;
INSERT INTO shop.moved (v) VALUES ('on green');
UPDATE tickets SET n = 32000 WHERE code = 'c1';
INSERT INTO tickets VALUES ('far too long for the old key', 2020, 1);
INSERT INTO numbered VALUES (1000, 'neither a nor b', NULL);
INSERT INTO numbered VALUES (1001, 'a', NULL);
INSERT INTO measured (day, euros) VALUES ('2026-06-06', 12.34);
UPDATE stamped SET state = 'used' WHERE id = 5;
UPDATE old_name SET v = 1000 WHERE id = 1;
UPDATE bits SET yes = true, body = '1 mine', at = '2026-03-03 03:03+09' WHERE id = 4;
"""


@pytest.mark.parametrize("version", [15, 18])
def test_what_is_odd_is_carried_too(version: int) -> None:
    quiet = ("ALTER TABLE stamped DISABLE TRIGGER USER", "ALTER TABLE stamped ENABLE TRIGGER USER")
    shapes = more_shapes
    with two_shapes(version, shapes.SCHEMA, shapes.ROWS, shapes.FILE) as world:
        world.fork()
        with world.writing(write_everywhere) as counts:
            world.apply()
            until(lambda: min(counts) > 20, limit_s=20, what="writes beside the file")
            world.caught_up(world.source, world.target)
        world.reference(*quiet)
        world.switch()
        assert contents(world, world.target, "app") == contents(world, world.target, "reference")

        world.run(world.target, USED, user="app")
        lost = world.rows_of(
            world.target,
            "SELECT relation, key, column_name FROM bluegreen_job.lost ORDER BY key",
        )
        assert lost == [("Odder 'Names'", "fresh", "100 %"), ("Odder 'Names'", "k %2", "100 %")]
        world.back()
        assert old_rows(world) == OLD_ROWS
        world.run(world.target, "DELETE FROM tickets WHERE length(code) > 8", user="app")
        same_in_sync(world)

        world.run(world.source, "DELETE FROM numbered WHERE id >= 1000", user="app")
        world.run(world.source, *settle_source(world.mapping))
        assert world.shape(world.source, "app") == definitions_of(world)

        world.caught_up(world.source, world.target)
        world.reference(*quiet)
        world.rederive()
        world.switch()
        assert contents(world, world.target, "app") == contents(world, world.target, "reference")
        world.finish()
        assert world.shape(world.target, "app") == world.shape(world.target, "reference")


OLD_ROWS = [
    ("Nora", "New", 30),
    ("Otto", "Other", 9),
    ("was b",),
    ("gone %",),
    (77,),
    (None, ""),
    ("blue",),
    ("32000",),
    (1234,),
    (1, "mine", "2026-03-03 03:03:00"),
]


def old_rows(world: TwoShapes) -> list[tuple]:
    """What the application wrote in the new shape, as the old one says it."""
    queries = (
        "SELECT first, last, age FROM people WHERE mail IN ('new@x', 'Mail9@X') ORDER BY first",
        "SELECT b FROM swapped WHERE id = 3",
        'SELECT "select" FROM "Odd Names" WHERE "the key" = \'k %2\'',
        'SELECT "100 %" FROM "Odd Names" WHERE "the key" = \'k %3\'',
        'SELECT "100 %", "select" FROM "Odd Names" WHERE "the key" = \'fresh\'',
        "SELECT colour::text FROM shirts WHERE id = 4",
        "SELECT n::text FROM tickets WHERE code = 'c1'",
        "SELECT cents FROM measured WHERE day = '2026-06-06'",
        "SELECT yes, body, at::text FROM bits WHERE id = 4",
    )
    return [row for query in queries for row in world.rows_of(world.source, query)]

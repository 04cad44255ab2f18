"""Two different schemas in sync: forward under writes, switched, back, forward again, finished."""

from __future__ import annotations

import psycopg
import pytest

from shared.mapping.model import Table
from tests.support.cluster import Server
from tests.support.shapes import FILE, ROWS, SCHEMA
from tests.support.two_shapes import TwoShapes, two_shapes


def contents(world: TwoShapes, server: Server, database: str) -> dict[str, list[tuple]]:
    """Rows of every replicated table in its final shape, in the order of the final columns."""
    return {
        table.final.name: world.rows_of(server, final_rows(table), database)
        for table in world.mapping.tables
    }


def final_rows(table: Table) -> str:
    columns = [c.final for c in table.columns if c.on_target and c.kind != "landing"]
    listed = ", ".join(f'"{name}"::text' for name in sorted(columns))
    return f"SELECT {listed} FROM {table.final.sql} ORDER BY {table.key[0]}"


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
            world.caught_up(world.source, world.target)
        assert min(counts) > 20
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
        assert world.rows_of(world.target, "SELECT * FROM bluegreen_job.lost") == []
        born = world.rows_of(world.source, "SELECT DISTINCT legacy FROM users WHERE mail ~ 'green'")
        assert born == [("",)]
        assert world.shape(world.source, "app") == definitions_of(world, SCHEMA)

        with world.source.connect("app", "app") as connection:
            write_users(connection, 5000)
        world.caught_up(world.source, world.target)
        world.reference()
        world.rederive()
        world.switch()
        assert contents(world, world.target, "app") == contents(world, world.target, "reference")
        world.finish()
        assert world.shape(world.target, "app") == world.shape(world.target, "reference")


def definitions_of(world: TwoShapes, schema: str) -> list[str]:
    with world.source.connect() as admin:
        admin.execute("CREATE DATABASE fresh OWNER app")
    with world.source.connect("fresh", "app") as connection:
        connection.execute(schema)
    return world.shape(world.source, "fresh")

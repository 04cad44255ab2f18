"""What the demo's clients do: each asks the catalog which shape it is on, then uses fitting SQL.

An application that is deployed before a migration and serves both shapes does the same, and marks
what it sends by shape (docs/expand-and-contract.md). Every
transaction writes one ledger row, so that acknowledged and present can be compared as sets.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

SHAPE = """
    SELECT to_regclass('purchases') IS NOT NULL,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('customers')
                   AND attname = 'plan' AND NOT attisdropped)
"""
LEDGER = "INSERT INTO ledger (client, seq) VALUES (%s, %s)"


def by_shape(statement: str) -> str:
    """Tells the statement gate that the sender has another statement for the other shape."""
    return f"/* bluegreen: by shape */ {statement}"


@dataclass(frozen=True, slots=True)
class Shape:
    grown: bool
    """001 is in force: cents are euros, orders are purchases, mail is email."""
    plans: bool
    """002 is in force: tier is plan, purchases have no note."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What one transaction did, for the account at the end."""

    kind: str
    product: int = 0
    """The product whose price rose by one cent."""
    customer: int = 0
    """The customer that was written or made."""


async def read_shape(connection: AsyncConnection[Any]) -> Shape:
    cursor = await connection.execute(SHAPE)
    row = await cursor.fetchone()
    assert row is not None
    return Shape(bool(row[0]), bool(row[1]))


async def raise_price(connection: AsyncConnection[Any], client: int, pick: random.Random) -> Deed:
    """One cent more, in the unit of the shape; each client owns its own products."""
    product = 1 + client + 16 * pick.randrange(100)
    shape = await read_shape(connection)
    step = "0.01" if shape.grown else "1"
    await connection.execute(
        by_shape("UPDATE products SET price = price + 0.01 WHERE id = %s")
        if step == "0.01"
        else by_shape("UPDATE products SET price = price + 1 WHERE id = %s"),
        (product,),
    )
    await connection.execute("SELECT * FROM products WHERE id = %s", (product,))
    return Deed("price", product=product)


async def write_customer(
    connection: AsyncConnection[Any], client: int, pick: random.Random
) -> Deed:
    """Change a customer's document, or make a customer; read it back with SELECT *."""
    shape = await read_shape(connection)
    if pick.random() < 0.5:
        customer = 1 + client + 16 * pick.randrange(60)
        text = f"changed by {client}: {pick.random()}"
        bio = json.dumps(text) if shape.grown else text
        await connection.execute(
            by_shape("UPDATE customers SET bio = %s WHERE id = %s")
            if not shape.grown
            else by_shape("UPDATE customers SET bio = %s::jsonb WHERE id = %s"),
            (bio, customer),
        )
    else:
        cursor = await connection.execute(*_new_customer(shape, client, pick))
        row = await cursor.fetchone()
        assert row is not None
        customer = int(row[0])
    await connection.execute("SELECT * FROM customers WHERE id = %s", (customer,))
    return Deed("customer", customer=customer)


def _new_customer(shape: Shape, client: int, pick: random.Random) -> tuple[str, tuple[Any, ...]]:
    mail, age, bio = f"new{client}.{pick.random()}@example.org", 18 + pick.randrange(70), "hello"
    if not shape.grown:
        insert = "INSERT INTO customers (mail, age, bio, fax) VALUES (%s, %s, %s, '0') RETURNING id"
        return by_shape(insert), (mail, age, bio)
    column = "plan" if shape.plans else "tier"
    insert = (
        f"INSERT INTO customers (email, age, bio, {column})"  # noqa: S608 (one of two words)
        " VALUES (%s, %s, to_jsonb(%s::text), %s) RETURNING id"
    )
    return by_shape(insert), (mail, age, bio, "senior" if age > 60 else "regular")


async def place_order(connection: AsyncConnection[Any], client: int, pick: random.Random) -> Deed:
    """A row into the largest table under its name of the day, read back through the view."""
    shape = await read_shape(connection)
    customer, product = 1 + pick.randrange(900), 1 + pick.randrange(2000)
    table = "purchases" if shape.grown else "orders"
    insert = f"INSERT INTO {table} (customer_id, product_id) VALUES (%s, %s) RETURNING id"  # noqa: S608
    cursor = await connection.execute(by_shape(insert), (customer, product))
    row = await cursor.fetchone()
    assert row is not None
    await connection.execute("SELECT * FROM order_card WHERE id = %s", (row[0],))
    await connection.execute("UPDATE stock SET units = units - 1 WHERE product_id = %s", (product,))
    return Deed("order", product=0)


async def touch_ticket(connection: AsyncConnection[Any], client: int, pick: random.Random) -> Deed:
    """A table with the user's own triggers, and a partitioned one."""
    ticket = 1 + client + 16 * pick.randrange(300)
    await connection.execute("UPDATE tickets SET state = 'waiting' WHERE id = %s", (ticket,))
    await connection.execute(
        "INSERT INTO events (day, what) VALUES (date '2026-06-01', %s::jsonb)",
        (json.dumps({"client": client}),),
    )
    await connection.execute("SELECT * FROM stock WHERE product_id = %s", (1 + client,))
    return Deed("ticket")


DEEDS = (raise_price, write_customer, place_order, touch_ticket)
WEIGHTS = (3, 3, 3, 2)

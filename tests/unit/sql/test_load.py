"""With a live database a warning says how large and how busy the table is, and for how long."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.load import duration, size
from shared.sql.validate import validate


def warned(sql):
    catalog = build("CREATE TABLE orders (id int PRIMARY KEY, total int);", version=18)[0]
    catalog.from_server = True
    orders = catalog.relations["public", "orders"]
    orders.size_bytes, orders.writes_per_s = 41_000_000_000, 1200.4
    report = validate(sql, file="f", catalog=catalog)
    return report.warnings[0].message, report.needs[0].why


def test_a_copy_and_a_scan_take_their_time():
    for message in warned("ALTER TABLE orders ALTER total TYPE bigint"):
        assert message.endswith("(orders: 41 GB, 1,200 writes/s, blocked for about 410 s)")
    for message in warned("ALTER TABLE orders ADD CHECK (total > 0)"):
        assert message.endswith("(orders: 41 GB, 1,200 writes/s, blocked for about 82 s)")


def test_without_a_server_nothing_is_said_of_size():
    catalog = build("CREATE TABLE orders (id int);", version=18)[0]
    report = validate("ALTER TABLE orders ADD CHECK (id > 0)", file="f", catalog=catalog)
    assert "blocked for" not in report.warnings[0].message


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 bytes"), (8192, "8.2 kB"), (41_000_000_000, "41 GB"), (1_500_000, "1.5 MB")],
)
def test_sizes_are_said_in_two_digits(count, text):
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "a moment"), (41, "41 s"), (7200, "120 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text

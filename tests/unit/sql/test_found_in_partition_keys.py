"""What was found next to the faults of the thirteenth unseen set: a constant is the same value
however it is spelled; each measured on real servers."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

KEYS = """
SET timezone = 'Europe/Vienna';
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE i (k int) PARTITION BY LIST (k);
CREATE TABLE i_1 PARTITION OF i FOR VALUES IN ('1');
CREATE TABLE i_2 PARTITION OF i FOR VALUES IN (2);
CREATE TABLE d (k date) PARTITION BY LIST (k);
CREATE TABLE d_1 PARTITION OF d FOR VALUES IN ('2025-01-01');
CREATE TABLE d_2 PARTITION OF d FOR VALUES IN ('2025-02-01');
CREATE TABLE c (k char(3)) PARTITION BY LIST (k);
CREATE TABLE c_1 PARTITION OF c FOR VALUES IN ('a');
CREATE TABLE c_2 PARTITION OF c FOR VALUES IN ('b  ');
CREATE TABLE b (k boolean) PARTITION BY LIST (k);
CREATE TABLE b_1 PARTITION OF b FOR VALUES IN (true);
CREATE TABLE b_2 PARTITION OF b FOR VALUES IN ('f');
CREATE TABLE n (k numeric) PARTITION BY LIST (k);
CREATE TABLE n_1 PARTITION OF n FOR VALUES IN (1);
CREATE TABLE n_2 PARTITION OF n FOR VALUES IN (2.5);
CREATE TABLE m (k mood) PARTITION BY LIST (k);
CREATE TABLE m_1 PARTITION OF m FOR VALUES IN ('low');
CREATE TABLE m_2 PARTITION OF m FOR VALUES IN ('high');
CREATE TABLE x (k text) PARTITION BY RANGE (k);
CREATE TABLE x_1 PARTITION OF x FOR VALUES FROM ('2024-12-31') TO ('2025-06-01');
CREATE TABLE x_2 PARTITION OF x FOR VALUES FROM ('2025-06-01') TO ('3');
CREATE TABLE z (k timestamptz) PARTITION BY RANGE (k);
CREATE TABLE z_1 PARTITION OF z FOR VALUES FROM ('2025-01-01 00:00+01') TO ('2025-02-01 00:00+01');
CREATE TABLE z_2 PARTITION OF z FOR VALUES FROM ('2025-02-01 00:00+01') TO ('2025-03-01 00:00+01');
CREATE TABLE e (k int) PARTITION BY LIST (k);
CREATE TABLE e_1 PARTITION OF e FOR VALUES IN (1);
CREATE TABLE e_2 PARTITION OF e DEFAULT;
CREATE TABLE g (k date) PARTITION BY LIST (k);
CREATE TABLE g_1 PARTITION OF g FOR VALUES IN ('2025-01-01');
CREATE TABLE g_2 PARTITION OF g FOR VALUES IN ('Mar 1, 2025');
CREATE TABLE g_3 PARTITION OF g DEFAULT;
"""


@pytest.mark.parametrize(
    ("table", "value", "parts"),
    [
        ("i", "'2'", "2"),
        ("i", "' 1 '", "1"),
        ("i", "2.0", "12"),
        ("d", "'20250101'", "1"),
        ("d", "'2025-02-01 10:00'", "2"),
        ("d", "'Jan 1, 2025'", "12"),
        ("c", "'b'", "2"),
        ("c", "'a  '", "1"),
        ("b", "'true'", "1"),
        ("b", "false", "2"),
        ("n", "1.0", "1"),
        ("n", "2.50", "2"),
        ("m", "'high'", "2"),
        ("x", "'20250101'", "12"),
        ("z", "'2025-01-31 23:00+00'", "2"),
        ("z", "'2025-02-01 00:30'", "12"),
        ("e", "'1'", "1"),
        ("e", "1.0", "12"),
        ("e", "3", "2"),
        ("g", "'2025-03-01'", "23"),
        ("g", "'2025-01-01'", "123"),
    ],
)
@pytest.mark.parametrize("form", ["DELETE FROM {} WHERE k = {}", "INSERT INTO {} VALUES ({})"])
def test_a_key_is_compared_as_its_type_and_what_is_not_understood_rules_nothing_out(
    form, table, value, parts
):
    sql = form.format(table, value)
    found = validate(sql, file="m.sql", catalog=build(KEYS, version=18)[0])
    assert found.locks.keys() == {table, *(f"{table}_{part}" for part in parts)}


def test_a_check_that_is_dropped_says_nothing_of_later_partitions():
    """From the text alone, a table that a CHECK keeps free of a bound is the DEFAULT partition."""
    checked = (
        "ALTER TABLE d ADD CHECK (k < 10);"
        "ALTER TABLE p ATTACH PARTITION a FOR VALUES FROM (20) TO (30);"
    )
    dropped = "ALTER TABLE d DROP CONSTRAINT d_k_check;" + checked.split(";")[1].replace(
        " a ", " b "
    )
    default = "the DEFAULT partition of p (if any)"
    assert default not in validate(checked, file="m.sql").locks
    assert default in validate(checked + dropped, file="m.sql").locks
    assert default not in validate(checked + checked.replace(" a ", " b "), file="m.sql").locks

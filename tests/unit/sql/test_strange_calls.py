"""What a statement calls and nobody has seen is not known to be safe."""

from __future__ import annotations

import pytest

from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.hazards import is_doubted

MADE = "CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'SELECT 1';\n"


@pytest.mark.parametrize(
    "sql",
    [
        "CALL purge();",
        "SELECT purge();",
        "SELECT ops.purge(now()), 1;",
        "DO $$ BEGIN PERFORM purge(); END $$;",
        "SELECT purge() FROM orders;",
        "SELECT * FROM purge();",
        "SELECT id FROM orders ORDER BY id LIMIT purge();",
        "WITH gone AS (SELECT purge()) SELECT 1;",
        "INSERT INTO orders VALUES (1) RETURNING purge();",
        "UPDATE orders SET note = purge() WHERE id = 1;",
        "CREATE OPERATOR !!! (RIGHTARG = int, FUNCTION = purge); SELECT !!! 1;",
    ],
)
def test_from_the_text_alone_a_strange_call_may_do_anything(sql: str) -> None:
    found = validate(sql, server_version=18, file="f")
    assert is_doubted(found)
    assert found.migration_type is Kind.RISKY
    assert "purge() cannot be looked into" in found.warnings[0].message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT setval('orders_id_seq', 100);",
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "SELECT uuid_generate_v4();",
        MADE + "SELECT purge();",
        "SELECT total FROM orders WHERE lower(name) = 'a' AND id @> 3;",
    ],
)
def test_what_the_server_the_file_or_an_extension_brings_is_known(sql: str) -> None:
    assert not is_doubted(validate(sql, server_version=18, file="f"))


def test_with_a_schema_the_body_is_looked_into_instead() -> None:
    catalog = build(MADE, version=18)[0]
    found = validate("SELECT purge();", server_version=18, file="f", catalog=catalog)
    assert not is_doubted(found)

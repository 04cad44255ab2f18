"""What apply pays for with every row holds no settings and no queries, unless it must."""

from __future__ import annotations

from shared.mapping.chain_model import Assignment, Chain, Operation, Read, Result, Value
from shared.mapping.forward_triggers import create_forward_triggers
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import Name

KEY = Column(kind="kept", sync="id", final="id", type="integer", source_type="integer", key=True)


def statements(name: str, kind: str = "integer", *, by_path: bool = False) -> list[str]:
    """Of a table whose column of that name and type is multiplied by a file."""
    landing = f"bluegreen_l_{name}"
    price = Column(kind="landing", sync=name, final=landing, type=kind, source_type=kind)
    made = Column(kind="computed", sync=f"bluegreen_r_{name}", final=name, type="bigint")
    times = Operation(
        line=1,
        alias="t",
        reads=[Read(name=name, value=Value(column=landing))],
        assignments=[Assignment(expression=f'"{name}" * 2', slot=0)],
        by_path=by_path,
    )
    chain = Chain(
        inputs=[landing],
        slots=["bigint"],
        operations=[times],
        results=[Result(column=name, slot=0)],
    )
    table = Table(
        sync=Name("public", "t"), final=Name("public", "t"), columns=[KEY, price, made],
        key=["id"], chains=[chain], settings={"search_path": "shop, pg_temp", "timezone": "'UTC'"},
    )  # fmt: skip
    return create_forward_triggers(Mapping(tables=[table]), 0, "final")


def test_an_expression_stands_over_variables_and_settings_change_where_they_differ() -> None:
    insert, _, _, update, *_ = statements("price")
    for function in (insert, update):
        assert "LANGUAGE plpgsql AS" in function
        assert '"price" integer := new."price";' in function
        assert 's0_0 := ("price" * 2);' in function
        assert "IF pg_catalog.current_setting(''timezone'') <> ''UTC'' THEN" in function
        assert "SELECT" not in function
    assert 'IF old."price" IS DISTINCT FROM new."price" THEN' in update


def test_a_path_is_set_only_where_something_is_found_by_it() -> None:
    assert "search_path" not in statements("price")[0]
    insert = statements("price", by_path=True)[0]
    assert "IF pg_catalog.current_setting(''search_path'') <> ''shop, pg_temp'' THEN" in insert
    assert "SET search_path = shop, pg_temp;" in insert


def test_what_is_not_byte_for_byte_equal_is_compared_as_bytes() -> None:
    assert 'row(new."n")::record *<> row(old."n")::record' in statements("n", "numeric")[3]


def test_a_column_that_is_called_as_a_variable_of_ours_is_read_by_a_query() -> None:
    for name in ("new", "s0_0"):
        insert = statements(name)[0]
        assert f'INTO s0_0 FROM (SELECT new."{name}" AS "{name}") AS "t";' in insert


def test_only_what_computes_everything_anew_has_settings_of_its_own() -> None:
    *_, again, trigger, enabled = statements("price")
    assert "LANGUAGE plpgsql SET search_path = shop, pg_temp SET timezone = 'UTC' AS" in again
    assert 'BEFORE UPDATE OF "price" ON "public"."t"' in trigger
    assert "bluegreen.force" in trigger
    assert "ENABLE REPLICA TRIGGER" in enabled

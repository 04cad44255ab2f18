"""Publications name every column that travels, and only rows that the old shape can take."""

from __future__ import annotations

from typing import Any

from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import Name
from shared.mapping.publication import forward_publication, reverse_publication

KEY = Column(kind="kept", sync="id", final="key", type="bigint", source_type="integer", key=True)
GONE = Column(kind="dropped", sync="fax", final="fax", type="text")
PRICE = Column(
    kind="landing", sync="price", final="bluegreen_l_price", type="integer", source_type="integer"
)
EUROS = Column(kind="computed", sync="bluegreen_r_price", final="price", type="numeric(12,2)")


def mapping(*columns: Column, **of_table: Any) -> Mapping:
    table = Table(
        sync=Name("public", "old"),
        final=Name("shop", "new"),
        columns=list(columns),
        key=["id"],
        **of_table,
    )
    return Mapping(tables=[table])


def test_forward_carries_kept_and_landing_columns_under_the_sources_names() -> None:
    (sql,) = forward_publication(mapping(KEY, GONE, PRICE, EUROS))
    assert 'FOR TABLE "public"."old" ("id", "price"), "bluegreen_job"."marker"' in sql
    assert "publish_via_partition_root = true" in sql


def test_reverse_leaves_out_keys_that_do_not_fit_the_old_type() -> None:
    (sync,) = reverse_publication(mapping(KEY, PRICE, EUROS), "sync")
    assert '("id", "price") WHERE ("id" >= -2147483648 AND "id" <= 2147483647)' in sync
    (final,) = reverse_publication(mapping(KEY, PRICE, EUROS), "final")
    assert '"shop"."new" ("key", "bluegreen_l_price") WHERE ("key" >=' in final


def test_a_varchar_key_that_became_longer_is_measured_in_characters() -> None:
    code = KEY.model_copy(update={"type": "text", "source_type": "character varying(8)"})
    (sql,) = reverse_publication(mapping(code), "final")
    assert 'WHERE (char_length("key") <= 8)' in sql


def test_replica_identity_full_allows_no_column_list() -> None:
    kept = KEY.model_copy(update={"type": "integer"})
    (sql,) = forward_publication(mapping(kept, identity_full=True))
    assert 'FOR TABLE "public"."old", "bluegreen_job"' in sql


def test_an_inherited_table_is_published_by_itself() -> None:
    kept = KEY.model_copy(update={"type": "integer"})
    (sql,) = forward_publication(mapping(kept, only=True))
    assert 'FOR TABLE ONLY "public"."old" ("id"), ' in sql


def test_found_by_its_key_a_full_row_comes_and_some_columns_go_back() -> None:
    kept = KEY.model_copy(update={"type": "integer"})
    made = mapping(kept, PRICE, EUROS, identity_full=True, found_by_key=True)
    (forward,) = forward_publication(made)
    assert 'FOR TABLE "public"."old", "bluegreen_job"."marker"' in forward
    (reverse,) = reverse_publication(made, "final")
    assert '"shop"."new" ("key", "bluegreen_l_price"), ' in reverse


def test_partitions_that_travel_by_themselves_stand_for_their_table() -> None:
    parts = [Name("public", "part_1"), Name("public", "part_2")]
    made = mapping(KEY, PRICE, EUROS, partitions=parts)
    (forward,) = forward_publication(made)
    assert 'TABLE "public"."part_1" ("id", "price"), "public"."part_2" ("id", "price"), ' in forward
    (reverse,) = reverse_publication(made, "final")
    rows = 'WHERE ("key" >= -2147483648 AND "key" <= 2147483647)'
    for part in parts:
        assert f'{part.sql} ("key", "bluegreen_l_price") {rows}' in reverse
    assert '"new"' not in reverse

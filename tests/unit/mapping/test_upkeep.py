"""A column that the file drops is said when a trigger may keep it and no `down` brings it back."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.errors import Refused
from shared.mapping.model import Column, Table
from shared.mapping.name_states import Name
from shared.mapping.snapshot import (
    SeenColumn,
    SeenConstraint,
    SeenIndex,
    SeenPartialIndex,
    SeenRelation,
    SeenTrigger,
    Snapshot,
)
from shared.mapping.upkeep import (
    check_whole_rows,
    many_to_one,
    partitions,
    unkept,
    whole_rows,
)

DROPPED = Column(kind="dropped", sync="slug", final="slug", type="text")
LANDED = Column(kind="landing", sync="slug", final="bluegreen_l_slug", type="text")


def said(text: str, column: Column = DROPPED, of: str = "posts", *, partition: bool = False) -> str:
    trigger = SeenTrigger(7, "keeps", "O", True, text)
    on = SeenRelation(1, "public", of, "r", is_partition=partition, triggers=(trigger,))
    name = Name("public", "posts")
    table = Table(sync=name, final=name, columns=[column])
    return "\n".join(unkept(Snapshot({1: on}), [table]))


@pytest.mark.parametrize("column", [DROPPED, LANDED])
@pytest.mark.parametrize(
    "text",
    [
        "BEGIN NEW.Slug := lower(new.name); RETURN new; END",
        "EXECUTE FUNCTION tsvector_update_trigger('slug', 'pg_catalog.english', 'name')",
    ],
)
def test_a_trigger_that_names_the_column(text: str, column: Column) -> None:
    told = said(text, column)
    assert told.startswith("posts.slug is dropped, and trigger keeps of posts names it")
    assert "`-- bluegreen: down posts.slug = ..`" in told


def test_a_trigger_of_another_table_names_both() -> None:
    assert "keeps of authors" in said("UPDATE posts SET slug = new.name", of="authors")
    assert said("UPDATE articles SET slug = new.name", of="authors") == ""


def test_what_comes_back_is_not_said() -> None:
    text = "new.slug := lower(new.name)"
    assert said(text, LANDED.model_copy(update={"down": "lower(name)"})) == ""
    assert said(text, LANDED.model_copy(update={"derived": True})) == ""
    assert said(text, Column(kind="kept", sync="slug", final="slug", type="text")) == ""


def test_other_words_are_no_name_of_it() -> None:
    assert said("new.slugs := 1; new.my_slug := 2") == ""


def test_the_copy_of_a_trigger_on_a_partition_is_not_said_again() -> None:
    assert said("new.slug := 1", partition=True) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("INSERT INTO log VALUES (to_jsonb(NEW)); RETURN new;", True),
        ("PERFORM note('posts', row_to_json( old )); RETURN old;", True),
        ("new.slug := lower(new.name); RETURN new;", False),
    ],
)
def test_a_trigger_that_takes_the_row_as_a_whole(text: str, told: bool) -> None:
    on = SeenRelation(1, "public", "posts", "r", triggers=(SeenTrigger(7, "log", "O", True, text),))
    name = Name("public", "posts")
    table = Table(sync=name, final=name, columns=[LANDED])
    found = list(whole_rows(Snapshot({1: on}), [table]))
    assert [sentence.split(":")[0] for sentence in found] == (
        ["trigger log of posts takes the row as a whole"] if told else []
    )
    without = table.model_copy(update={"columns": [DROPPED]})
    assert list(whole_rows(Snapshot({1: on}), [without])) == []


def test_a_partitioned_table_is_told_once_where_it_goes_through_its_root() -> None:
    root = SeenRelation(1, "public", "days", "p")
    part = SeenRelation(2, "public", "days_1", "r", is_partition=True, root=1)
    days = Name("public", "days")
    table, seen = Table(sync=days, final=days, columns=[]), Snapshot({1: root, 2: part})
    assert [told.split(" ")[0] for told in partitions(seen, [table])] == ["days"]
    alone = table.model_copy(update={"partitions": [Name("public", "days_1")]})
    assert list(partitions(seen, [alone])) == []


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("INSERT INTO history SELECT old.*; RETURN old;", True),
        ("INSERT INTO history VALUES (OLD.*, now()); RETURN old;", True),
        ("INSERT INTO history VALUES (old.*); RETURN old;", True),
        ("INSERT INTO history SELECT (new).*; RETURN new;", True),
        ("INSERT INTO log VALUES (hstore(OLD.*) - hstore(NEW.*)); RETURN new;", False),
        (
            "FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION f() RETURN new;",
            False,
        ),
        ("new.price := new.price * 2; RETURN new;", False),
    ],
)
def test_a_trigger_that_takes_every_column_is_refused(text: str, fails: bool) -> None:
    on = SeenRelation(1, "public", "posts", "r", triggers=(SeenTrigger(7, "log", "O", True, text),))
    check_whole_rows(on, frozenset())
    if not fails:
        check_whole_rows(on, frozenset({2}))
        return
    with pytest.raises(Refused, match="trigger log of posts takes all columns"):
        check_whole_rows(on, frozenset({2}))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"indexes": (SeenIndex("u", (2,), False, False, True),)}, True),
        ({"partial_indexes": (SeenPartialIndex(9, "u", (2,), "USING btree ..."),)}, True),
        ({"constraints": (SeenConstraint("x", "x", (2,), "EXCLUDE .."),)}, True),
        ({"constraints": (SeenConstraint("c", "c", (2,), "CHECK .."),)}, False),
        ({"indexes": (SeenIndex("u", (1,), False, False, True),)}, False),
    ],
)
def test_a_unique_column_that_comes_back_computed_is_told(made: dict[str, Any], told: bool) -> None:
    columns = (SeenColumn(1, "id", 23, -1, "integer"), SeenColumn(2, "price", 23, -1, "integer"))
    seen = Snapshot({1: SeenRelation(1, "public", "goods", "r", columns=columns, **made)})
    landed = Column(kind="landing", sync="price", final="bluegreen_l_price", type="integer")
    goods = Name("public", "goods")
    for down, expected in (("round(price * 100)", told), (None, False)):
        column = landed.model_copy(update={"down": down})
        found = list(many_to_one(seen, [Table(sync=goods, final=goods, columns=[column])]))
        assert bool(found) is expected
        assert all("public.goods" not in text and str(down) in text for text in found)

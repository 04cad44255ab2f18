"""A column that the file drops is said when a trigger may keep it and no `down` brings it back."""

from __future__ import annotations

import pytest

from shared.mapping.model import Column, Table
from shared.mapping.name_states import Name
from shared.mapping.snapshot import SeenRelation, SeenTrigger, Snapshot
from shared.mapping.upkeep import unkept

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

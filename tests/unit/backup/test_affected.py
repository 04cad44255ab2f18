"""Whose rows belong to a rollback point: what the rehearsal says, else what the file names."""

import pytest

from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import Name
from tests.support.steps import a_job
from workers.backup.affected import affected_tables


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("ALTER TABLE users DROP COLUMN name", ['"users"']),
        ('UPDATE "Odd" SET a = (SELECT 1 FROM b.c)', ['"Odd"', '"b"."c"']),
        ("DROP TABLE a.b, c CASCADE", ['"a"."b"', '"c"']),
        ("DROP TRIGGER t ON users; DROP POLICY p ON s.notes", ['"s"."notes"', '"users"']),
        ("ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES y (b)", ['"x"', '"y"']),
        ("CREATE TYPE mood AS ENUM ('sad')", []),
    ],
)
def test_before_a_rehearsal_every_relation_that_the_file_names(sql: str, tables: list[str]) -> None:
    assert affected_tables(a_job(sql=sql)) == tables


def test_after_it_exactly_the_tables_that_change_or_go() -> None:
    def table(name: str, *, kind: str) -> Table:
        column = Column(kind=kind, sync="c", final="c", type="text", source_type="text")
        return Table(sync=Name("public", name), final=Name("public", name), columns=[column])

    mapping = Mapping(
        tables=[table("users", kind="landing"), table("notes", kind="kept")],
        dropped=[Name("public", "audit")],
    )
    rehearsed = {"mapping": mapping.model_dump(mode="json"), "run_as": "app"}
    job = a_job(sql="ALTER TABLE other ADD a int", facts={"rehearse": rehearsed})
    assert affected_tables(job) == ['"public"."audit"', '"public"."users"']

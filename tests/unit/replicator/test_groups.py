"""A plan becomes parts of the file, verbatim, each with what its transaction needs."""

from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from workers.replicator.groups import planned_parts

SQL = """-- why
CREATE TABLE "ü" (id int);  /* kept */
ALTER TABLE t ADD COLUMN a int ;
CREATE INDEX CONCURRENTLY i ON t (a);
VACUUM t;
CALL p();
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM t;
COMMIT;
BEGIN; DELETE FROM t; ROLLBACK;
"""
TOGETHER = {"statements": (0, 1), "transaction": True}
OUTSIDE = {"statements": (2,), "transaction": False, "lock_timeout": False}
BY_WISH = {"statements": (1,), "transaction": False}
CALLS = {"statements": (4,), "transaction": False}
OWN = {"statements": (6,), "transaction": True, "begin": "BEGIN ISOLATION LEVEL REPEATABLE READ"}
EMPTY = {"statements": (), "transaction": True, "begin": "BEGIN"}
GIVEN_UP = {"statements": (9,), "transaction": True, "rolls_back": True}


def job(*plan: dict[str, object]) -> Job:
    facts = {"migration_type": "safe", "risk_level": "LOW", "plan": plan}
    return Job(
        id="20261123-7f3a", database="app", kind=Kind.SAFE, file_name="f.sql", sql=SQL,
        options=RunOptions(), source=Colour.BLUE, epoch=1, attempt=1, facts={"validate": facts},
    )  # fmt: skip


def test_a_group_is_the_text_from_its_first_statement_to_its_last() -> None:
    (only,) = planned_parts(job(TOGETHER), "app")
    assert only.part.text.startswith('CREATE TABLE "ü"')
    assert only.part.text.endswith("ADD COLUMN a int")
    assert "/* kept */" in only.part.text
    assert SQL.encode()[only.part.start :].startswith(b"CREATE TABLE")
    assert only.in_transaction
    assert (only.part.run_as, only.part.begin) == ("app", "BEGIN")


def test_names_follow_the_plan_so_that_a_repeat_finds_them() -> None:
    names = [each.part.name for each in planned_parts(job(TOGETHER, EMPTY, OUTSIDE), "app")]
    assert names == ["group 1", "group 3"]


def test_what_cannot_run_in_a_block_does_not_and_all_else_does() -> None:
    found = planned_parts(job(OUTSIDE, BY_WISH, CALLS), "app")
    assert [each.in_transaction for each in found] == [False, True, False]


def test_the_authors_own_begin_opens_the_block() -> None:
    (own,) = planned_parts(job(OWN), "app")
    assert own.part.begin == "BEGIN ISOLATION LEVEL REPEATABLE READ"
    assert own.part.text == "DELETE FROM t"


def test_a_block_that_the_author_rolls_back_does_nothing() -> None:
    (given_up,) = planned_parts(job(GIVEN_UP), "app")
    assert given_up.part.text == ""

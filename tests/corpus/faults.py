"""Three faults planted on the target under load: each is found, and nothing else is."""

from __future__ import annotations

from contextlib import contextmanager

from shared.domain.errors import Broken
from tests.corpus.case import Case
from tests.corpus.load import Load
from tests.corpus.played import Played
from tests.corpus.stage import Stage

NAME = "planted_faults"
CASE = Case(
    NAME,
    """CREATE TABLE t (id int PRIMARY KEY, v text, n int);
    CREATE TABLE still (LIKE t INCLUDING ALL);""",
    """-- bluegreen: down t.n = round(n * 100)
    ALTER TABLE t ALTER n TYPE numeric(12,2) USING n / 100.0;
    ALTER TABLE still RENAME v TO w""",
    (
        "INSERT INTO t VALUES (@n, 'born @n', 1)",
        "UPDATE t SET n = n + 1 WHERE id <= 40",
        "UPDATE t SET v = 'v@n' WHERE id = @n % 40 + 1",
        "DELETE FROM t WHERE id = @n - 9",
    ),
    (
        (
            "UPDATE t SET n = 2.5 WHERE id = @n % 40 + 1",
            "UPDATE t SET n = 250 WHERE id = @n % 40 + 1",
        ),
    ),
    """INSERT INTO t SELECT n, 'v', n FROM generate_series(1, 40) n;
    INSERT INTO still SELECT n, 'v', n FROM generate_series(1, 500) n""",
)
LOST, CHANGED, EXTRA = (
    f"DELETE FROM {NAME}.still WHERE id = 17",
    f"UPDATE {NAME}.still SET n = -1 WHERE id = 41",
    f"INSERT INTO {NAME}.still VALUES (100001, 'nobody wrote this', 1)",
)
MENDED = f"""INSERT INTO {NAME}.still VALUES (17, 'v', 17);
UPDATE {NAME}.still SET n = 41 WHERE id = 41; DELETE FROM {NAME}.still WHERE id = 100001"""
FOUND = {
    f"row {NAME}.still id=17 is missing on the target",
    f"row {NAME}.still id=41 differs",
    f"row {NAME}.still id=100001 is only on the target",
}
WATCHED = 10
"""Tables that are compared again and again: with all of them a run would take minutes."""
RUNS = 20


def plant(here: Stage, load: Load, played: Played) -> None:
    """For `play`: before the cutover, with every case writing."""
    if CASE not in played.cases:
        return
    with _few_tables(here, [*[case.name for case in played.cases][-WATCHED:], NAME]):
        for _ in range(RUNS):
            try:
                here.compare()
            except Broken as error:
                played.blame(CASE, f"false alarm: {error}")
                return
        played.facts["runsWithoutAlarm"] = RUNS
        _on_target(here, LOST, CHANGED, EXTRA)
        try:
            here.compare()
            played.blame(CASE, "expected three faults to be found, found a verdict of 0")
        except Broken as error:
            told = {fault for fault in FOUND if fault in error.message}
            if told != FOUND or "found 3 different" not in error.message:
                played.blame(CASE, f"expected {sorted(FOUND)}, found: {error.message}")
        _on_target(here, *MENDED.split(";"))
        here.compare()


def _on_target(here: Stage, *statements: str) -> None:
    """Behind replication's back."""
    here.servers.run(
        here.target,
        "; ".join(("SET session_replication_role = replica", *statements)),
        "bg_replicator",
    )


@contextmanager
def _few_tables(here: Stage, schemas: list[str]):
    assert here.job is not None
    whole, mapping = here.job, here.mapping
    few = mapping.model_copy(
        update={
            "tables": [table for table in mapping.tables if table.sync.namespace in schemas],
            "derived": [],
            "foreign_keys": [],
        }
    )
    facts = {**whole.facts, "rehearse": {**whole.facts["rehearse"], "mapping": few.model_dump()}}
    here.job = whole.model_copy(update={"facts": facts})
    try:
        yield
    finally:
        here.job = whole

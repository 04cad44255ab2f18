"""The shop's clients write through both doors of a stack, and every write is counted."""

from pathlib import Path

import psycopg

from tests.support.journey import Journey
from tests.support.stack import running_stack
from tests.support.wait import until


def test_writers_work_through_both_doors(tmp_path: Path) -> None:
    with running_stack() as stack:
        journey = Journey(stack, tmp_path)
        journey.shop.build()
        with journey.shop.load(rate=200, clients=16) as journal:
            until(
                lambda: journal.exists() and journal.stat().st_size > 60_000,
                limit_s=30,
                what="a journal",
            )
            with psycopg.connect(stack.doors["direct"], autocommit=True) as direct:
                before = direct.execute("SELECT count(*) FROM ledger").fetchone()
                direct.execute("INSERT INTO newsletter (mail) VALUES ('direct@example.org')")
        account = journey.shop.account(journal)
        assert account.clean, account
        assert before is not None
        assert account.acknowledged >= before[0] > 500

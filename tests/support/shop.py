"""The shop of `make demo` behind the doors of a stack: built, under load, its account balanced."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.adapters.demo.account import Account, balance, read_cents, read_journal
from shared.adapters.demo.shop import build_shop, open_session
from tests.support.two_sides import TABLE


@dataclass
class Shop:
    doors: Mapping[str, str]
    folder: Path
    """For the journal of each load."""
    cents: dict[int, int] = field(default_factory=dict)
    """What each account held when the load began."""

    def build(self, rows: int = 2000) -> None:
        build_shop(self.doors["direct"], rows)
        with open_session(self.doors["direct"]) as session:
            session.execute(TABLE)
            self.cents = read_cents(session)

    @contextmanager
    def load(self, *, rate: float = 100, clients: int = 8) -> Iterator[Path]:
        """The shop's clients at work while the body runs; the journal is complete after it.

        Each load has a journal of its own, so the ledger begins anew.
        """
        with open_session(self.doors["app"]) as session:
            session.execute("DELETE FROM ledger")
            self.cents = read_cents(session)
        dsn, journal = self.folder / "load.dsn", self.folder / "journal.tsv"
        dsn.write_text(self.doors["app"], encoding="utf-8")
        words = ["--dsn-file", str(dsn), "--journal", str(journal), "--rate", str(rate)]
        process = subprocess.Popen(
            [sys.executable, "-m", "shared.adapters.demo.load", *words, "--clients", str(clients)]
        )
        try:
            yield journal
        finally:
            process.terminate()
            code = process.wait(30)
        assert code == 0

    def account(self, journal: Path) -> Account:
        with open_session(self.doors["app"]) as session:
            return balance(read_journal(journal), session, self.cents)

"""Applications at work on a whole stack, and what became of their transactions.

`five statements`  BEGIN, an insert, two updates, COMMIT: the clients of the bench's other worlds
`shop`             the demo's: six or seven statements through views, triggers and SELECT *
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cutover.arena import clients
from benchmarks.cutover.load import CLIENTS
from shared.adapters.demo.account import balance, read_cents, read_journal
from shared.adapters.demo.shop import build_shop, open_session
from shared.adapters.demo.waits import Stretch

ROWS = 2000
END_LIMIT_S = 30
Waits = list[tuple[float, float]]
"""(begin on the monotonic clock, milliseconds) of each transaction."""
FIVE_STATEMENTS_TABLES = f"""
CREATE TABLE entry (client int, n int, PRIMARY KEY (client, n));
CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL);
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO counter SELECT id, 0 FROM generate_series(0, {CLIENTS - 1}) AS id;
INSERT INTO account SELECT id, 0 FROM generate_series(1, 20000) AS id;
"""


def longest_ms(waits: Waits, begin: float, end: float) -> float:
    """Of the transactions that were under way between two readings of the monotonic clock."""
    return max(Stretch(begin, end).took_ms(waits))


@dataclass
class Record:
    """Complete once the application has ended."""

    waits: Waits = field(default_factory=list)
    account: dict[str, int] = field(default_factory=dict)


Application = Callable[[dict[str, str], Path, float], AbstractContextManager[Record]]
"""By the stack's doors, a folder for its files, and a rate in transactions a second."""


@contextmanager
def five_statements(doors: dict[str, str], _: Path, rate: float) -> Iterator[Record]:
    record = Record()
    with open_session(doors["direct"]) as session:
        session.execute(FIVE_STATEMENTS_TABLES)
    with clients(doors["app"], rate, 0) as load:
        yield record
    acknowledged = load.acknowledged()
    with open_session(doors["app"]) as session:
        rows = {(int(client), int(n)) for client, n in session.rows("SELECT client, n FROM entry")}
        counted = int(session.value("SELECT sum(n) FROM counter"))
    record.waits = [(began, ms) for began, ms, *_ in load.told]
    record.account = {
        "acknowledged": len(acknowledged),
        "failed": load.failed(),
        "lost": len(acknowledged - rows) + max(0, len(rows) - counted),
        "duplicated": max(0, counted - len(rows)),
    }


@contextmanager
def shop(doors: dict[str, str], folder: Path, rate: float) -> Iterator[Record]:
    record = Record()
    build_shop(doors["direct"], ROWS)
    with open_session(doors["direct"]) as session:
        cents = read_cents(session)
    dsn_file, journal = folder / "dsn", folder / "journal.tsv"
    dsn_file.write_text(doors["app"], encoding="utf-8")
    words = ["--dsn-file", str(dsn_file), "--journal", str(journal), "--rate", str(rate)]
    process = subprocess.Popen([sys.executable, "-m", "shared.adapters.demo.load", *words])
    try:
        yield record
    finally:
        process.terminate()
        process.wait(END_LIMIT_S)
    offset_s = time.time() - time.monotonic()
    entries = list(read_journal(journal))
    with open_session(doors["app"]) as session:
        found = balance(entries, session, cents)
    record.waits = [(entry.began - offset_s, entry.took_ms) for entry in entries]
    record.account = {
        name: getattr(found, name) for name in ("acknowledged", "failed", "lost", "duplicated")
    }

"""The demo's clients can work on every shape of the shop, and the account sees what is lost."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from shared.adapters.demo.account import balance, read_cents, read_journal
from shared.adapters.demo.shop import build_shop, open_session
from tests.support.cluster import Server, postgres

MIGRATIONS = sorted(
    file.name
    for file in resources.files("shared.adapters.demo").iterdir()
    if file.name[0].isdigit() and file.name.endswith(".sql")
)


def run_load(server: Server, folder: Path, seconds: float) -> Path:
    dsn, journal = folder / "dsn", folder / "journal.tsv"
    dsn.write_text(server.dsn(), encoding="utf-8")
    words = ["--dsn-file", str(dsn), "--journal", str(journal), "--rate", "200"]
    process = subprocess.Popen([sys.executable, "-m", "shared.adapters.demo.load", *words])
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.terminate()
    assert process.wait(10) == 0
    return journal


@pytest.mark.parametrize("applied", range(len(MIGRATIONS) + 1))
def test_clients_work_on_every_shape(applied: int, tmp_path: Path) -> None:
    with postgres(15) as server:
        build_shop(server.dsn(), 2000)
        with open_session(server.dsn()) as session:
            cents = read_cents(session)
            for name in MIGRATIONS[:applied]:
                text = (resources.files("shared.adapters.demo") / name).read_text("utf-8")
                session.execute(text)
            journal = run_load(server, tmp_path, 3)
            account = balance(read_journal(journal), session, cents)
            assert account.errors == ()
            assert account.clean
            assert account.acknowledged > 100
            session.execute("DELETE FROM ledger WHERE id = (SELECT min(id) FROM ledger)")
            session.execute("UPDATE products SET price = price + 1 WHERE id = 2")
            damaged = balance(read_journal(journal), session, cents)
            assert damaged.lost in {2, 101}

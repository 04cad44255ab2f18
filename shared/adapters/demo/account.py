"""The account at the end: what was acknowledged against what is on the side that serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from shared.ports import Session


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction of one client, as its journal has it."""

    began: float
    """Unix time."""
    took_ms: float
    client: int
    seq: int
    kind: str
    product: int
    error: str


@dataclass(frozen=True, slots=True)
class Account:
    acknowledged: int
    failed: int
    lost: int
    """Acknowledged, but not on the side that serves; price changes that are not there included."""
    duplicated: int
    longest_ms: float
    errors: tuple[str, ...] = field(default=())
    """The first few, for people."""

    @property
    def clean(self) -> bool:
        return self.failed == self.lost == self.duplicated == 0


def read_journal(path: Path) -> Iterator[Entry]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            began, took, client, seq, kind, product, error = line.rstrip("\n").split("\t")
            yield Entry(float(began), float(took), int(client), int(seq), kind, int(product), error)


def balance(entries: Iterable[Entry], session: Session, cents: dict[int, int]) -> Account:
    """Compare the journal with the database behind `session`, at rest.

    `cents`: price in cents by product before the load began.
    """
    entries = list(entries)
    acknowledged = [entry for entry in entries if not entry.error]
    failed = [entry for entry in entries if entry.error]
    present = Counter(
        (int(client), int(seq)) for client, seq in session.rows("SELECT client, seq FROM ledger")
    )
    lost = sum((entry.client, entry.seq) not in present for entry in acknowledged)
    raised = Counter(entry.product for entry in acknowledged if entry.kind == "price")
    lost += sum(
        abs(cents[product] + raised[product] - found)
        for product, found in read_cents(session).items()
        if product in cents
    )
    return Account(
        acknowledged=len(acknowledged),
        failed=len(failed),
        lost=lost,
        duplicated=sum(count - 1 for count in present.values()),
        longest_ms=max((entry.took_ms for entry in entries), default=0.0),
        errors=tuple(entry.error for entry in failed[:5]),
    )


def read_cents(session: Session) -> dict[int, int]:
    """Prices in cents by product, whichever unit the shape has."""
    kind = session.value(
        "SELECT atttypid::regtype::text FROM pg_attribute"
        " WHERE attrelid = 'products'::regclass AND attname = 'price'"
    )
    factor = 100 if kind == "numeric" else 1
    return {
        int(product): int(Decimal(price) * factor)
        for product, price in session.rows("SELECT id, price FROM products")
    }

"""Whether real traffic is as well after the change as before. Pure: evidence in, reasons out.

Three independent signals, since each alone can be blind: the share of transactions that roll back
(blind where an application ends every transaction with ROLLBACK), error classes in the server's
log (blind where there is no JSON log), and what a client sees at the door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

ASSUMED_SHARE = 0.01
"""Of rolled back transactions, where nothing was measured before."""
DATA_CLASSES = ("23", "40", "55P03", "57014")
"""What applications meet in daily life: constraints, serialisation, locks, cancelled statements."""
CONNECTION_CLASSES = ("08", "28", "53300", "57P")
"""Of logins and disconnections, which a cutover itself brings about."""
BROKEN_STATEMENTS = ("42703", "42P01")
"""Unknown column or table: accepted with `--accept-broken-statements`."""
SLOW_MS = 500.0
SLOW_FACTOR = 5.0
SLOWER_MS = 50.0
"""A transaction that is longer by less is not slow, however short it was."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Transactions of a span of time."""

    commits: int
    rollbacks: int

    @property
    def total(self) -> int:
        return self.commits + self.rollbacks


def passed(first: Traffic, last: Traffic) -> Traffic | None:
    """Between two readings; None where the counters began anew, as a crashed server's do: it says
    nothing of a reset then (PostgreSQL manual, "The Cumulative Statistics System")."""
    if last.commits < first.commits or last.rollbacks < first.rollbacks:
        return None
    return Traffic(last.commits - first.commits, last.rollbacks - first.rollbacks)


@dataclass(frozen=True, slots=True)
class Evidence:
    before: Traffic | None
    """None: nothing was measured, or the counters were reset since."""
    after: Traffic
    errors_before: Mapping[str, int]
    """By SQLSTATE, on the side that served before."""
    errors_after: Mapping[str, int]
    words: Mapping[str, str]
    """One message of each class of `errors_after`."""
    door_before_ms: Sequence[float]
    door_after_ms: Sequence[float | None]
    """One entry a look, oldest first; None: the door did not answer."""
    transaction_ms: float | None = None
    """Mean since the change, as the pooler timed them; None: not known."""
    usual_transaction_ms: float | None = None
    """Before the change, or by the stored baseline."""


def complaints(evidence: Evidence, *, accept_broken_statements: bool = False) -> list[str]:
    """Why the change is not well; empty when it is."""
    ignored = BROKEN_STATEMENTS if accept_broken_statements else ()
    return [
        *_rollbacks(evidence),
        *_errors(evidence, ignored),
        *_door(evidence),
        *_transactions(evidence),
    ]


def _rollbacks(evidence: Evidence) -> Iterator[str]:
    """More than three standard deviations over what the share before lets expect."""
    before, after = evidence.before, evidence.after
    share = ASSUMED_SHARE if before is None else (before.rollbacks + 1) / (before.total + 2)
    expected = share * after.total
    if after.rollbacks > expected + 3 * sqrt(expected) + 2:
        yield (
            f"{after.rollbacks} of {after.total} transactions rolled back, where "
            f"{expected:.1f} were to be expected from before"
        )


def _errors(evidence: Evidence, ignored: tuple[str, ...]) -> Iterator[str]:
    for code, count in sorted(evidence.errors_after.items()):
        before = evidence.errors_before.get(code, 0)
        if code.startswith(CONNECTION_CLASSES) or code.startswith(ignored or ("none",)):
            continue
        usual = code.startswith(DATA_CLASSES)
        if (usual and count >= 5 and count > 5 * before) or (
            not usual and before == 0 and count >= 2
        ):
            yield f"{count} errors {code} since the change, {before} before: {evidence.words[code]}"


def _door(evidence: Evidence) -> Iterator[str]:
    last = list(evidence.door_after_ms)[-3:]
    if last.count(None) >= 2:
        yield f"the pooled door did not answer {last.count(None)} of {len(last)} times"
    answered = [ms for ms in evidence.door_after_ms if ms is not None]
    if len(answered) >= 3:
        usual = median(evidence.door_before_ms) if evidence.door_before_ms else 0.0
        limit = max(SLOW_MS, SLOW_FACTOR * usual)
        if median(answered) > limit:
            yield f"the pooled door needs {median(answered):.0f} ms, before it was {usual:.0f} ms"


def _transactions(evidence: Evidence) -> Iterator[str]:
    now, usual = evidence.transaction_ms, evidence.usual_transaction_ms
    if now is None or usual is None:
        return
    if now > SLOW_FACTOR * usual and now > usual + SLOWER_MS:
        yield f"a transaction takes {now:.0f} ms, before it was {usual:.1f} ms"

"""How long the word of a person counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

LIFE = timedelta(hours=1)
"""As long as a verdict: who approves has looked at what was true then."""


def counting(
    asked: Iterable[tuple[str, datetime]], now: datetime, more: timedelta
) -> frozenset[str]:
    """What people asked for, `approve` only where it was neither withdrawn nor has run out, and
    `pause` only where no `resume` came after it.

    `asked` is in the order of asking; `more` is what was agreed to pass after an approval
    (`--switch-delay`).
    """
    requests, approved_at = set(), None
    for what, at in asked:
        if what == "approve":
            approved_at = at
        elif what == "withdraw":
            approved_at = None
        else:
            requests.add(what)
            if what == "resume":
                requests.discard("pause")
    if approved_at is not None and now - approved_at <= LIFE + more:
        requests.add("approve")
    return frozenset(requests)

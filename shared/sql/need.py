"""What a file needs (safe, risky, maintenance), and how risky each of its operations is."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter

from shared.domain.kinds import Kind, Risk
from shared.sql.effects import Operation, Reason
from shared.sql.step import Step

SAFE, RISKY, MAINTENANCE = Kind.SAFE, Kind.RISKY, Kind.MAINTENANCE
LOW, MEDIUM, HIGH = Risk.LOW, Risk.MEDIUM, Risk.HIGH
"""Members under names of their own: to look one up in its enumeration takes as long as a call, and
every operation asks for several."""


def reasons(step: Step) -> list[Reason]:
    """Why this statement needs more than `safe`, the gravest first; empty when it does not."""
    if step.reasons is None:
        found: list[Reason] = []
        for o in step.operations:
            if o.reasons or o.rewrites or o.destroys or o.bulk or o.breaks:
                found += _of_operation(o)
        if step.blocked_writes or step.blocked_reads:
            found.append(_waiting(step))
        if len(found) > 1:
            found.sort(key=_GRAVITY, reverse=True)
        step.reasons = found
    return step.reasons


_GRAVITY = attrgetter("kind.rank")


def need(step: Step) -> Kind:
    found = reasons(step)
    return found[0].kind if found else SAFE


def _of_operation(operation: Operation) -> list[Reason]:
    found: list[Reason] = []
    for reason in operation.reasons:
        if reason.kind is not SAFE:
            found.append(reason)
    if operation.rewrites:
        why = (
            f"PostgreSQL writes a new copy of {listed(operation.rewrites)}; "
            "until it is done nobody can read or write it"
        )
        remedy = "run it as a risky migration: green is rewritten while blue serves"
        found.append(Reason(RISKY, why, remedy))
    if operation.destroys and "batched" not in operation.notes:
        why = f"gone afterwards: {listed(operation.destroys)}"
        remedy = "run it as a risky migration: blue keeps the data until the rollback window ends"
        found.append(Reason(RISKY, why, remedy))
    if operation.bulk:
        why = (
            f"one transaction changes many rows of {listed(operation.bulk)}: its row locks stay "
            "until the end, and the dead rows too"
        )
        remedy = "change them in batches (`-- bluegreen: batch ..`), or run it as a risky migration"
        found.append(Reason(RISKY, why, remedy))
    if operation.breaks:
        why = f"clients of the old schema fail: {listed(operation.breaks)}"
        remedy = "run it as a risky migration, whose gate plans the clients' statements first"
        found.append(Reason(RISKY, why, remedy))
    return found


def _waiting(step: Step) -> Reason:
    """Why a statement is not safe that keeps somebody out while it works."""
    if step.blocked_reads:
        who, tables = "readers and writers", step.blocked_reads
    else:
        who, tables = "writers", step.blocked_writes
    return Reason(
        RISKY,
        f"{who} of {listed(tables)} wait while work goes on that grows with the table",
        "use the form that does not block, or run it as a risky migration",
    )


def beside(step: Step) -> str:
    """Size and traffic of what is worked through, in brackets; empty without a live database."""
    return f" ({'; '.join(step.loads)})" if step.loads else ""


def risk(step: Step, operation: Operation) -> Risk:
    """HIGH: data is lost or copied, or nobody can read. MEDIUM: writers or clients feel it."""
    if operation.destroys or operation.rewrites or (operation.scans and step.blocked_reads):
        return HIGH
    felt = operation.bulk or operation.breaks or (operation.scans and step.blocked_writes)
    if operation.reasons:
        kinds = [reason.kind for reason in operation.reasons]
        if MAINTENANCE in kinds:
            return HIGH
        if RISKY in kinds:
            return MEDIUM
    return MEDIUM if felt else LOW


def listed(names: AbstractSet[str] | Sequence[str], limit: int = 4) -> str:
    """`a, b and 3 more`."""
    if len(names) == 1:
        return next(iter(names))
    unique = sorted(names) if isinstance(names, set | frozenset) else list(dict.fromkeys(names))
    if len(unique) <= limit:
        return ", ".join(unique)
    return f"{', '.join(unique[:limit])} and {len(unique) - limit} more"

"""What a file needs (safe, risky, maintenance), and how risky each of its operations is."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.kinds import Kind, Risk
from shared.sql.context import Step
from shared.sql.effects import Operation, Reason


def reasons(step: Step) -> list[Reason]:
    """Why this statement needs more than `safe`, the gravest first; empty when it does not."""
    if step.reasons is None:
        found = [r for operation in step.operations for r in _of_operation(operation)]
        found += _waiting(step)
        found = [reason for reason in found if reason.kind is not Kind.SAFE]
        step.reasons = sorted(found, key=lambda reason: -reason.kind.rank)
    return step.reasons


def need(step: Step) -> Kind:
    found = reasons(step)
    return found[0].kind if found else Kind.SAFE


def _of_operation(operation: Operation) -> Iterator[Reason]:
    yield from operation.reasons
    if operation.rewrites:
        yield Reason(
            Kind.RISKY,
            f"PostgreSQL writes a new copy of {listed(operation.rewrites)}; "
            "until it is done nobody can read or write it",
            "run it as a risky migration: green is rewritten while blue serves",
        )
    if operation.destroys and "batched" not in operation.notes:
        yield Reason(
            Kind.RISKY,
            f"gone afterwards: {listed(operation.destroys)}",
            "run it as a risky migration: blue keeps the data until the rollback window ends",
        )
    if operation.bulk:
        yield Reason(
            Kind.RISKY,
            f"one transaction changes many rows of {listed(operation.bulk)}: its row locks stay "
            "until the end, and the dead rows too",
            "change them in batches (`-- bluegreen: batch ..`), or run it as a risky migration",
        )
    if operation.breaks:
        yield Reason(
            Kind.RISKY,
            f"clients of the old schema fail: {listed(operation.breaks)}",
            "run it as a risky migration, whose gate plans the clients' statements first",
        )


def _waiting(step: Step) -> Iterator[Reason]:
    if step.blocked_reads:
        who, tables = "readers and writers", step.blocked_reads
    elif step.blocked_writes:
        who, tables = "writers", step.blocked_writes
    else:
        return
    yield Reason(
        Kind.RISKY,
        f"{who} of {listed(tables)} wait while work goes on that grows with the table",
        "use the form that does not block, or run it as a risky migration",
    )


def beside(step: Step) -> str:
    """Size and traffic of what is worked through, in brackets; empty without a live database."""
    return f" ({'; '.join(step.loads)})" if step.loads else ""


def risk(step: Step, operation: Operation) -> Risk:
    """HIGH: data is lost or copied, or nobody can read. MEDIUM: writers or clients feel it."""
    kinds = [reason.kind for reason in operation.reasons]
    grows = bool(operation.scans)
    if operation.destroys or operation.rewrites or Kind.MAINTENANCE in kinds:
        return Risk.HIGH
    if grows and step.blocked_reads:
        return Risk.HIGH
    felt = operation.bulk or operation.breaks or Kind.RISKY in kinds
    return Risk.MEDIUM if felt or (grows and step.blocked_writes) else Risk.LOW


def listed(names: set[str] | list[str], limit: int = 4) -> str:
    """`a, b and 3 more`."""
    unique = sorted(names) if isinstance(names, set) else list(dict.fromkeys(names))
    if len(unique) <= limit:
        return ", ".join(unique)
    return f"{', '.join(unique[:limit])} and {len(unique) - limit} more"

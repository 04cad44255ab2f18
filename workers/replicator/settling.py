"""Constraints that a rollback put back unchecked on the source: validated in peace.

What rows written on the target break stays unvalidated, and is named: a person decides about rows.
"""

from __future__ import annotations

from shared.domain.facts import Rehearsal
from shared.domain.migration import Job
from shared.mapping.model import Mapping
from shared.mapping.prepare import not_settled, settle_source
from shared.ports import Node

LOCK_S = 0.5


def settle(source: Node, job: Job) -> None:
    """Each by itself; nothing where there was no rollback, or no rehearsal."""
    statements = settle_source(_mapping(job)) if Rehearsal.maybe(job) else []
    for statement in statements:
        with source.session(limit_s=0, lock_limit_s=LOCK_S) as session:
            session.execute(statement)


def unsettled(source: Node, job: Job) -> str:
    """Constraints that are not validated, in words; empty when all are."""
    query = not_settled(_mapping(job)) if Rehearsal.maybe(job) else None
    if query is None:
        return ""
    with source.session() as session:
        return ", ".join(row[0] for row in session.rows(query))


def _mapping(job: Job) -> Mapping:
    return Mapping.model_validate(Rehearsal.of(job).mapping)

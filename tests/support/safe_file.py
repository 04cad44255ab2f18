"""A safe file, and the step that applies it as the replicator composes it."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.rehearsal.rehearsal import role_for
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Node, Session
from shared.sql.parse import statements
from tests.support.fake_pool import CountingPool
from tests.support.pair import Pair
from tests.support.sides import BLUE, job_on
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.promotion import Promotion
from workers.replicator.steps.apply_on_active import ApplyOnActive
from workers.validator.steps.validate import Validate


def safe(servers: Pair, sql: str, kind: Kind = Kind.SAFE) -> Job:
    """A job on blue for that file, validated."""
    job = job_on(BLUE, sql=sql, kind=kind)
    return job.model_copy(update={"facts": {"validate": Validate(servers.nodes).do(job).facts}})


def applying(
    nodes: Mapping[Colour, Node], pool: CountingPool, background: Background | None = None
) -> ApplyOnActive:
    promotion = Promotion(nodes, pool, pool)  # type: ignore[arg-type]
    batches = Batches(nodes, pool)  # type: ignore[arg-type]
    background = background or Background()
    return ApplyOnActive(nodes, background, pool.short_pause(), _role_of, promotion, batches)


def _role_of(session: Session, job: Job) -> str:
    return role_for(session, statements(job.sql))

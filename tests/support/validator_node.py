"""A server as the validator's steps see it, and what they remember, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.postgres import PsycopgSession, connect
from shared.domain.environment import Colour
from shared.domain.migration import Job, RunOptions
from tests.support.cluster import Server
from tests.support.sides import job_on
from tests.support.two_shapes import TwoShapes


@dataclass(frozen=True)
class ServerNode:
    server: Server
    colour: Colour

    def session(self, *, limit_s: float = 30.0, **_: Any) -> AbstractContextManager[PsycopgSession]:
        return connect(
            host="127.0.0.1", port=self.server.port, database="app", user="bg_validator",
            password="", limit_s=limit_s,
        )  # fmt: skip


@dataclass
class Remembered:
    """The Comparisons port."""

    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def find(self, job: str) -> Mapping[str, Any] | None:
        return self.kept.get(job)

    def save(self, job: str, progress: Mapping[str, Any]) -> None:
        self.kept[job] = progress

    def forget(self, job: str) -> None:
        self.kept.pop(job, None)


def nodes_of(world: TwoShapes) -> dict[Colour, ServerNode]:
    return {
        Colour.BLUE: ServerNode(world.source, Colour.BLUE),
        Colour.GREEN: ServerNode(world.target, Colour.GREEN),
    }


def job_for(world: TwoShapes, **options: Any) -> Job:
    """A job as it stands behind `rehearse`."""
    rehearse = {"mapping": world.mapping.model_dump(mode="json"), "run_as": "app"}
    job = job_on(Colour.BLUE, sql=world.file, rehearse=rehearse)
    return job.model_copy(update={"options": RunOptions(**options)})

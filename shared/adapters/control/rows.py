"""A saga's state and a row of `job`, each made of the other; recipes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from psycopg.types.json import Jsonb

from shared.domain.environment import Colour
from shared.domain.kinds import Kind, Outcome
from shared.domain.migration import RunOptions
from shared.ports import JobRecord
from shared.saga.events import Direction
from shared.saga.recipes import Recipe, RecipeStep, planned
from shared.saga.state import Phase, SagaState
from shared.saga.steering import choices

Columns = Mapping[str, Any]
_STEP_FIELDS = {field.name for field in fields(RecipeStep)}
_SAME = (
    "at", "furthest", "attempt", "granted", "epoch", "began_at", "due_at", "abort_asked_by",
    "reopening", "back_to", "cause", "remedy",
)  # fmt: skip
"""Columns that have the field's name and type."""


def recipe_json(recipe: Recipe) -> Jsonb:
    return Jsonb([asdict(step) for step in recipe])


def full_recipe(row: Columns) -> Recipe:
    """All steps of the job's kind, also those that its options skip."""
    return tuple(
        RecipeStep(**{name: value for name, value in step.items() if name in _STEP_FIELDS})
        for step in row["recipe"]
    )


def options_of(row: Columns) -> RunOptions:
    return RunOptions.model_validate(row["options"])


def state_of(row: Columns) -> SagaState:
    options = options_of(row)
    return SagaState(
        job=row["id"],
        recipe=planned(full_recipe(row), options),
        keep=options.no_rollback,
        phase=Phase(row["phase"]),
        direction=Direction(row["direction"]),
        **{name: row[name] for name in _SAME},
    )


def columns_of(state: SagaState) -> dict[str, Any]:
    """Values for the query `save_job`, but for the sentence and the end."""
    return {
        "job": state.job,
        "phase": state.phase.value,
        "direction": state.direction.value,
        "outcome": state.outcome and state.outcome.value,
        "late_at": state.late_at,
        **{name: getattr(state, name) for name in _SAME},
    }


def record_of(row: Columns, facts: Mapping[str, Mapping[str, Any]]) -> JobRecord:
    state = state_of(row)
    return JobRecord(
        id=row["id"],
        database=row["database"],
        kind=Kind(row["kind"]),
        file_name=row["file_name"],
        sql=row["sql"],
        options=options_of(row),
        source=Colour(row["source"]),
        phase=row["phase"],
        step=None if state.phase is Phase.REQUESTED else state.step.name,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        sentence=row["sentence"],
        epoch=row["epoch"],
        attempt=row["attempt"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        ended_at=row["ended_at"],
        facts=facts,
        remedy="; ".join(text for text in (row["remedy"], choices(state)) if text),
        details_removed_at=row["details_removed_at"],
    )

"""Start and end the embedded stack, and say where everything is."""

from __future__ import annotations

from pathlib import Path

from producer.configuration import Configuration
from producer.output import Output
from shared.adapters.embedded import stack
from shared.settings import state_dir as named_state_dir

WORDS = {
    "app": "pooled door",
    "direct": "direct door",
    "blue": "blue",
    "green": "green",
    "control": "control database",
    "redis": "Redis",
    "flower": "Flower",
    "pgbouncerAdmin": "PgBouncer",
    "stateDir": "state directory",
}


def up(
    configuration: Configuration,
    output: Output,
    state_dir: Path | None,
    version: int | None,
    *,
    jobs_days: float | None = None,
    points_days: float | None = None,
) -> None:
    place = state_dir or named_state_dir(configuration.environment)
    try:
        description = stack.up(
            place, version, on_progress=output.warn, jobs_days=jobs_days, points_days=points_days
        )
    except KeyboardInterrupt:
        if place.exists():
            output.warn(
                f"what was begun in {place} stays: `bluegreen up` goes on, `down` removes it"
            )
        raise
    doors = description.as_json()
    output.document(doors)
    if not output.as_json:
        for key, address in doors.items():
            output.say(f"{WORDS.get(key, key):<17} {address}")
        output.say(f"export BLUEGREEN_STATE_DIR={doors['stateDir']}")


def down(configuration: Configuration, output: Output, state_dir: Path | None) -> None:
    place = (state_dir or named_state_dir(configuration.environment)).absolute()
    was_there = place.exists()
    stack.down(place)
    output.say(f"the stack in {place} is gone" if was_there else f"no stack in {place}")
    output.document({"stateDir": str(place), "removed": was_there})

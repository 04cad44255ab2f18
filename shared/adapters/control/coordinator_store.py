"""The control database as the coordinator sees it: what is to be decided, and what is to be sent.

A decision is one transaction: the events it answers are read, the job, its history, its command
and its rows for people are written, all or nothing. So a coordinator may die between any two lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase, unflushed
from shared.adapters.control.queries import QUERIES
from shared.adapters.control.rows import columns_of, state_of
from shared.adapters.control.worker_store import LOCK_CLASS
from shared.adapters.postgres import PsycopgSession
from shared.saga.events import Answer, Asked, Direction
from shared.saga.machine import Decision
from shared.saga.state import Command, SagaState, outstanding, step_states
from shared.saga.steering import ENDED
from shared.saga.transitions import Do

MOST_STARTS = 5
"""So often a worker may die in one look before that counts as a failure of the step."""


@dataclass(frozen=True)
class Work:
    """One job, locked, with what is new about it."""

    state: SagaState
    now: datetime
    """By the control database's clock, the only one that counts."""
    events: tuple[Answer | Asked, ...]
    progress: float | None
    """Of the newest answer."""
    died: bool
    """Workers died in this look too often."""
    command_lost: bool
    """The outbox has no row for the job."""
    session: PsycopgSession = field(repr=False)
    kind: str = ""
    file_name: str = ""


class CoordinatorStore:
    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def jobs_with_work(self) -> list[str]:
        """Jobs for which something is to be decided now, oldest first."""
        with self._database.session() as session:
            rows = session.rows(
                QUERIES["jobs_with_work"], {"most_starts": MOST_STARTS, "lock_class": LOCK_CLASS}
            )
        return [job for (job,) in rows]

    @contextmanager
    def work(self, job: str) -> Iterator[Work | None]:
        """The job and what is new about it, in one transaction; None when another coordinator
        is at it."""
        with self._database.session() as session, session.transaction():
            rows = session.dicts(
                "SELECT *, clock_timestamp() AS now FROM bluegreen_control.job"
                " WHERE id = %s AND ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED",
                (job,),
            )
            yield self._read(session, rows[0]) if rows else None

    def save(self, work: Work, decisions: list[Decision]) -> None:
        """Write what was decided; in the transaction of `work`."""
        state = decisions[-1].state if decisions else work.state
        for decision in decisions:
            _append_history(work, decision)
        session, ended = work.session, state.phase in ENDED
        for decision in decisions:
            if decision.row is not None and decision.row.does is Do.REST:
                later = [step.name for step in decision.state.recipe[decision.state.at + 1 :]]
                session.execute(QUERIES["forget_facts"], {"job": state.job, "steps": later})
        if any(decision.row is not None for decision in decisions):
            sentence = next(one.sentence for one in reversed(decisions) if one.row is not None)
            session.execute(
                QUERIES["save_job"],
                columns_of(state) | {"sentence": sentence, "ended_at": work.now if ended else None},
            )
            session.execute(
                QUERIES["save_lease"], {"job": state.job, "epoch": state.epoch, "ended": ended}
            )
            session.execute(QUERIES["save_steps"], _step_rows(work, decisions, state))
        _save_command(work, decisions, state)
        if ended:
            audit.append(
                session, "coordinator", "job ended", {"job": state.job, "outcome": state.outcome}
            )

    def commands_to_send(self) -> list[tuple[Command, int]]:
        """Commands that are due and not on their way, claimed for this coordinator; with how
        often each was sent, this time included."""
        with self._database.session() as session, unflushed(session):
            rows = session.dicts(QUERIES["claim_commands"], {"lock_class": LOCK_CLASS})
        return [(_command(row), row["sends"]) for row in rows]

    def not_sent(self, command: Command) -> None:
        with self._database.session() as session:
            session.execute(QUERIES["unclaim_command"], (command.job, command.epoch))

    def nobody_takes(self, command: Command) -> None:
        """Tell people that a command waits for a worker."""
        with self._database.session() as session:
            session.execute(QUERIES["nobody_takes"], {"job": command.job, "epoch": command.epoch})

    def next_due_s(self) -> float | None:
        """Seconds until the next command is due; None when none is waiting."""
        with self._database.session() as session:
            found = session.value(QUERIES["next_due"])
        return None if found is None else max(0.0, float(found))

    def _read(self, session: PsycopgSession, row: dict[str, Any]) -> Work:
        answers = session.dicts(QUERIES["take_answers"], (row["id"],))
        requests = session.rows(QUERIES["take_requests"], (row["id"],))
        out = session.row(QUERIES["starts"], {"job": row["id"], "lock_class": LOCK_CLASS})
        return Work(
            state=state_of(row),
            now=row["now"],
            events=(
                *map(_answer, answers),
                *(Asked(what, by, row["now"]) for what, by in requests),
            ),
            progress=answers[-1]["progress"] if answers else None,
            died=out is not None and (out[0] or 0) >= MOST_STARTS,
            command_lost=out is None,
            session=session,
            kind=row["kind"],
            file_name=row["file_name"],
        )


def _answer(row: dict[str, Any]) -> Answer:
    return Answer(
        step=row["step"],
        direction=Direction(row["direction"]),
        attempt=row["attempt"],
        epoch=row["epoch"],
        kind=row["kind"],
        said=row["said"],
        family=row["family"],
        remedy=row["remedy"],
        look_again_s=row["look_again_s"],
    )


def _command(row: dict[str, Any]) -> Command:
    names = ("job", "step", "owner", "attempt", "epoch", "due_at")
    return Command(direction=Direction(row["direction"]), **{name: row[name] for name in names})


def _append_history(work: Work, decision: Decision) -> None:
    """Each transition but looks: those would be a line every half second."""
    if decision.row is None or decision.is_look:
        return
    state = decision.state
    work.session.execute(
        QUERIES["append_history"],
        {
            "job": state.job,
            "at": work.now,
            "phase": state.phase.value,
            "event": decision.row.on.value,
            "step": decision.step or None,
            "attempt": state.attempt,
            "epoch": state.epoch,
            "sentence": decision.sentence,
        },
    )


def _save_command(work: Work, decisions: list[Decision], state: SagaState) -> None:
    """The command that is out, where it changed; a lost row follows from the state."""
    commands = [one.command for one in decisions if one.command is not None]
    last = commands[-1] if commands else outstanding(state) if work.command_lost else None
    if outstanding(state) is None:
        work.session.execute("DELETE FROM bluegreen_control.outbox WHERE job = %s", (state.job,))
    elif last is not None:
        work.session.execute(
            QUERIES["save_command"],
            {
                "job": last.job,
                "step": last.step,
                "owner": last.owner,
                "direction": last.direction.value,
                "attempt": last.attempt,
                "epoch": last.epoch,
                "due_at": last.due_at,
            },
        )


def _step_rows(work: Work, decisions: list[Decision], state: SagaState) -> dict[str, Any]:
    """All rows of `step`, with what the last decision about each said."""
    said = {one.step: one.said or one.sentence for one in decisions if one.row and one.step}
    now_at = state.step.name
    rows = [
        {
            "name": step.name,
            "state": shown.value,
            "attempts": state.attempt if step.name == now_at and state.going_forward else 0,
            "progress": work.progress if step.name == now_at else None,
            "sentence": said.get(step.name, ""),
            "begun": shown.value != "pending",
            "rests": shown.value in ("done", "failed", "undone"),
        }
        for step, shown in zip(state.recipe, step_states(state), strict=True)
    ]
    return {"job": state.job, "now": work.now, "steps": Jsonb(rows)}

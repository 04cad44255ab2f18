"""The control database as the producer sees it: submit, look, steer (shared.ports.ControlStore)."""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.queries import QUERIES
from shared.adapters.control.rows import full_recipe, recipe_json, record_of, state_of
from shared.adapters.postgres import PsycopgSession
from shared.domain.environment import Colour
from shared.domain.errors import AlreadyApplied, AnotherJob, EditedAfterApplied, Refused, Transient
from shared.domain.health import way_back_alert
from shared.domain.kinds import Kind, StepState
from shared.domain.migration import RunOptions
from shared.domain.window import moment
from shared.ports import HistoryRecord, JobRecord, StepRecord
from shared.saga.events import Steering
from shared.saga.recipes import RECIPES, WINDOW, Recipe
from shared.saga.state import Phase, SagaState, step_states
from shared.saga.steering import refusal
from shared.settings import Settings


class PostgresControlStore:
    """What a person or CI asks of the control database."""

    def __init__(self, database: ControlDatabase, recipes: Mapping[Kind, Recipe] = RECIPES) -> None:
        self._database = database
        self._recipes = recipes

    def submit(
        self,
        *,
        database: str,
        kind: Kind,
        file_name: str,
        sql: str,
        options: RunOptions,
        source: Colour,
        requested_by: str,
    ) -> str:
        if options.at is not None:  # a time of day means the next one, seen from here
            at = moment(options.at, datetime.now(UTC)).isoformat()
            options = options.model_copy(update={"at": at})
        sha256 = _digest(sql)
        job = {
            "database": database,
            "kind": kind.value,
            "file_name": file_name,
            "sql": sql,
            "sql_sha256": sha256,
            "options": Jsonb(options.model_dump(mode="json")),
            "recipe": recipe_json(self._recipes[kind]),
            "source": source.value,
            "requested_by": requested_by,
        }
        with self._database.session() as session, session.transaction():
            epoch = _free_lease(session, database, file_name, sha256)
            job_id = _insert(session, job | {"epoch": epoch})
            session.execute(
                "UPDATE bluegreen_control.lease SET job = %s WHERE database = %s",
                (job_id, database),
            )
            audit.append(session, requested_by, "submit", {"job": job_id, "file": file_name})
        return job_id

    def expect_unapplied(self, *, database: str, file_name: str, sql: str) -> None:
        with self._database.session() as session:
            _expect_unapplied(
                session, database, file_name, hashlib.sha256(sql.encode()).hexdigest()
            )

    def job(self, job: str) -> JobRecord:
        with self._database.session() as session:
            return record_of(_row(session, job), facts_of(session, job))

    def jobs(self, *, limit: int = 50, live_only: bool = False) -> list[JobRecord]:
        with self._database.session() as session:
            rows = session.dicts(QUERIES["jobs"], {"limit": limit, "live_only": live_only})
            facts = _facts_by_job(session, [row["id"] for row in rows])
        return [record_of(row, facts[row["id"]]) for row in rows]

    def job_with_file(self, database: str, file_name: str) -> JobRecord | None:
        with self._database.session() as session:
            found = session.value(QUERIES["newest_with_file"], (database, file_name))
            return (
                None if found is None else record_of(_row(session, found), facts_of(session, found))
            )

    def steps(self, job: str) -> list[StepRecord]:
        """All steps in order. Their states follow from the job; the rows of `step` only add when
        and how often, so that losing them loses nothing else."""
        with self._database.session() as session:
            row = _row(session, job)
            shown = {
                found["name"]: found
                for found in session.dicts(
                    "SELECT * FROM bluegreen_control.step WHERE job = %s", (job,)
                )
            }
        state = state_of(row)
        states = dict(zip((step.name for step in state.recipe), step_states(state), strict=True))
        return [
            _step_record(step.name, step.owner, states.get(step.name), shown.get(step.name, {}))
            for step in full_recipe(row)
        ]

    def history(self, job: str, *, after: int = 0) -> list[HistoryRecord]:
        with self._database.session() as session:
            return [HistoryRecord(*row) for row in session.rows(QUERIES["history"], (job, after))]

    def request(self, job: str, what: Steering, *, by: str) -> None:
        with self._database.session() as session, session.transaction():
            state = state_of(_row(session, job, lock=True))
            reason = refusal(state, what) or _closed_way_back(session, state, what)
            if reason:
                raise Refused(reason, remedy=f"`bluegreen status {job}` shows where it stands")
            session.execute(
                "INSERT INTO bluegreen_control.request (job, what, by) VALUES (%s, %s, %s)",
                (job, what, by),
            )
            audit.append(session, by, what, {"job": job})

    def append_audit(self, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
        with self._database.session() as session:
            audit.append(session, actor, action, detail)

    def verify_audit(self) -> int | None:
        """Number of the first row that was changed or is missing; None when the chain holds."""
        with self._database.session() as session:
            return audit.first_broken(session)


def control_store(
    settings: Settings, recipes: Mapping[Kind, Recipe] = RECIPES
) -> PostgresControlStore:
    """The store of the stack that these settings describe; connects at the first call."""
    database = ControlDatabase(settings, application_name="bluegreen/producer", agent="producer")
    return PostgresControlStore(database, recipes)


def facts_of(session: PsycopgSession, job: str) -> dict[str, dict[str, Any]]:
    rows = session.rows("SELECT step, body FROM bluegreen_control.fact WHERE job = %s", (job,))
    return dict(rows)


def _facts_by_job(
    session: PsycopgSession, jobs: list[str]
) -> defaultdict[str, dict[str, dict[str, Any]]]:
    found: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for job, step, body in session.rows(
        "SELECT job, step, body FROM bluegreen_control.fact WHERE job = ANY (%s)", (jobs,)
    ):
        found[job][step] = body
    return found


def _row(session: PsycopgSession, job: str, *, lock: bool = False) -> dict[str, Any]:
    query = "SELECT * FROM bluegreen_control.job WHERE id = %s"
    rows = session.dicts(query + (" FOR NO KEY UPDATE" if lock else ""), (job,))
    if not rows:
        raise Refused(f"there is no job {job}", remedy="`bluegreen history` lists the jobs")
    return rows[0]


def _closed_way_back(session: PsycopgSession, state: SagaState, what: Steering) -> str:
    """Why a rollback asked for in the window would lose writes, as the step that holds the window
    saw it last; empty while it would not."""
    if what not in ("rollback", "keep-sync", "abort") or state.phase is not Phase.FORWARD:
        return ""
    if state.step.name != WINDOW:
        return ""
    return str(session.value(QUERIES["way_back_alert"], (way_back_alert(state.job),)) or "")


def _free_lease(session: PsycopgSession, database: str, file_name: str, sha256: str) -> int:
    """The epoch of the database, whose lease is free and now locked. Raises what submit raises."""
    session.execute(
        "INSERT INTO bluegreen_control.lease (database) VALUES (%s) ON CONFLICT DO NOTHING",
        (database,),
    )
    lease = session.row(QUERIES["lease"], (database,))
    _expect_unapplied(session, database, file_name, sha256)
    assert lease is not None
    if lease[0] is not None:
        raise AnotherJob(lease[0])
    epoch: int = lease[1]
    return epoch


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _expect_unapplied(session: PsycopgSession, database: str, file_name: str, sha256: str) -> None:
    completed = session.row(QUERIES["completed_with_file"], (database, file_name))
    if completed is not None:
        wrong = AlreadyApplied if completed[1] == sha256 else EditedAfterApplied
        raise wrong(completed[0], file_name)


def _insert(session: PsycopgSession, job: Mapping[str, Any]) -> str:
    for _ in range(20):
        job_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
        if session.execute(QUERIES["insert_job"], {**job, "id": job_id}):
            return job_id
    raise Transient("expected a free job id in 20 tries, found none; nothing was written")


def _step_record(
    name: str, owner: str, state: StepState | None, shown: Mapping[str, Any]
) -> StepRecord:
    return StepRecord(
        name=name,
        owner=owner,
        state=state or StepState.SKIPPED,
        attempts=shown.get("attempts", 0),
        progress=shown.get("progress"),
        sentence=shown.get("sentence", ""),
        started_at=shown.get("started_at"),
        ended_at=shown.get("ended_at"),
    )

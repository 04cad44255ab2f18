"""Each agent does its part of the control database, and nothing beside it, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from shared.adapters.control.backup_store import BackupStore
from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.comparison_store import ComparisonStore, RehearsalStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.coordinator_store import CoordinatorStore
from shared.adapters.control.error_store import ErrorStore, SeenError
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.roles import GRANTS, SCHEMA
from shared.adapters.control.schema_store import SchemaStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.control.switch_store import SwitchStore
from shared.adapters.control.worker_store import Claim, WorkerStore
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from shared.domain.objects import CONTROL_ROLES
from shared.ports import Done, RehearsedFile, SwitchRecord
from shared.saga.events import Direction
from shared.settings import Settings
from tests.support.cluster import postgres
from tests.support.control import FORBIDDEN, installed_with_roles
from workers.coordinator.decide import decide

AGENTS = sorted(CONTROL_ROLES)
WORKERS = [agent for agent in AGENTS if agent != "producer"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with postgres() as server:
        yield installed_with_roles(tmp_path_factory.mktemp("state"), server)


@pytest.fixture
def job(settings: Settings) -> str:
    """A live job whose first command is out."""
    with as_(settings, "") as owner:
        owner.execute("TRUNCATE bluegreen_control.job, bluegreen_control.lease CASCADE")
    store = PostgresControlStore(database(settings, "producer"))
    job = store.submit(
        database="app", kind=Kind.RISKY, file_name="001.sql", sql="SELECT 1", options=RunOptions(),
        source=Colour.BLUE, requested_by="alice",
    )  # fmt: skip
    coordinator = CoordinatorStore(database(settings, "coordinator"))
    assert coordinator.jobs_with_work() == [job]
    with coordinator.work(job) as work:
        assert work is not None
        coordinator.save(work, decide(work))
    return job


def database(settings: Settings, agent: str) -> ControlDatabase:
    return ControlDatabase(settings, application_name="test", agent=agent)


def as_(settings: Settings, agent: str) -> psycopg.Connection:
    control = settings.control
    user = CONTROL_ROLES[agent] if agent else control.user
    return psycopg.connect(
        host=control.host, port=control.port, dbname=control.database, user=user, autocommit=True
    )


def first_command(settings: Settings, job: str) -> Claim:
    ((command, _),) = CoordinatorStore(database(settings, "coordinator")).commands_to_send()
    assert (command.job, command.owner) == (job, "validator")
    return Claim(job, command.step, Direction.FORWARD, command.attempt, command.epoch)


def test_a_command_goes_its_whole_way_with_each_agent_in_its_own_role(
    settings: Settings, job: str
) -> None:
    claim = first_command(settings, job)
    validator = WorkerStore(database(settings, "validator"), "validator")
    with validator.taken(claim) as taken:
        assert taken is not None
        assert validator.answer(claim, Done("looked", {"migration_type": "risky"}))
    coordinator = CoordinatorStore(database(settings, "coordinator"))
    with coordinator.work(job) as work:
        assert work is not None
        assert [event.said for event in work.events] == ["looked"]
        coordinator.save(work, decide(work))
    producer = PostgresControlStore(database(settings, "producer"))
    assert producer.job(job).step == "preflight"
    assert producer.steps(job)[0].sentence == "looked"
    assert producer.history(job)
    producer.request(job, "abort", by="alice")
    assert producer.verify_audit() is None


def test_each_agent_keeps_what_it_learns(settings: Settings, job: str) -> None:
    rehearsals = RehearsalStore(database(settings, "replicator"))
    rehearsals.save(job, RehearsedFile({"tables": []}, "app"))
    rehearsals.forget(job)
    comparisons = ComparisonStore(database(settings, "validator"))
    comparisons.save(job, {"phase": "raw"})
    assert comparisons.find(job) == {"phase": "raw"}
    comparisons.forget(job)
    switches = SwitchStore(database(settings, "proxy-agent"))
    phases = {"pause": 3.0, "hold_door": 0.2, "door": 0.1}
    switches.save(SwitchRecord(job, 1, "blue->green", datetime.now(UTC), 10.0, phases))
    (kept,) = switches.of_job(job)
    assert list(kept.phases_ms) == list(phases), "in the order in which they came"
    BackupStore(database(settings, "backup")).write([])
    assert HealthStore(database(settings, "backup")).raise_alert("b", "warning", "b", {})
    health = HealthStore(database(settings, "health-monitor"))
    health.note(job, "preflight", {"at": 1})
    health.record([CheckResult("blue.available", True, "it answers")])
    assert health.raise_alert("a", "info", "a", {})
    assert ("a", "info", "a") in health.take_untold()
    assert health.clear_alert("a") is True
    assert {running.step for running in health.running_steps()} == {"validate"}
    assert health.untold_bad_ends() == []
    health.beat("monitor")
    marks, errors = (
        kind(database(settings, "health-monitor")) for kind in (SchemaStore, ErrorStore)
    )
    marks.accept("app", "f")
    assert marks.mark("app", "f", since=None).at is not None
    errors.note("app", [SeenError("blue", "42P01", "ERROR", "app", "no such table", 1)])
    BaselineStore(database(settings, "health-monitor")).forget_old("app")


def test_people_silence_alerts_by_the_command_line(settings: Settings) -> None:
    alerts = HealthStore(database(settings, "producer"))
    silence = alerts.silence("b%", seconds=60, by="alice", reason="known")
    assert alerts.end_silence(silence.id, by="alice") == "b%"
    assert alerts.heartbeat_age_s("nobody") is None


@pytest.mark.parametrize("agent", [agent for agent in WORKERS if agent != "validator"])
def test_a_command_of_another_agent_is_neither_begun_nor_answered(
    settings: Settings, job: str, agent: str
) -> None:
    claim = first_command(settings, job)
    other = WorkerStore(database(settings, agent), agent)
    with other.taken(claim) as taken:
        assert taken is None
    values = (job, claim.step, claim.attempt, claim.epoch)
    with as_(settings, agent) as session:
        if agent != "coordinator":
            begun = session.execute("UPDATE bluegreen_control.outbox SET starts = 9")
            assert begun.rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(
                "INSERT INTO bluegreen_control.answer (job, step, direction, attempt, epoch, kind,"
                " said, look_again_s, family, remedy)"
                " VALUES (%s, %s, 'forward', %s, %s, 'done', 'forged', 0, '', '')",
                values,
            )


@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("agent", AGENTS)
def test_what_no_agent_may_do(settings: Settings, agent: str, what: str) -> None:
    if (agent, what) == ("coordinator", "no command is changed"):
        return  # it writes them
    with as_(settings, agent) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(FORBIDDEN[what])


def test_no_right_is_there_beside_those_that_are_listed(settings: Settings) -> None:
    listed = {
        (CONTROL_ROLES[agent], table, right.split(" ")[0], "(" in right)
        for agent, tables in GRANTS.items()
        for table, rights in tables.items()
        for right in rights.split(", ")
        if not right.startswith(("sends", "answered_at"))
    }
    with as_(settings, "") as owner:
        rows = owner.execute(
            "SELECT g.grantee, g.table_name, g.privilege_type, false"
            " FROM information_schema.role_table_grants AS g WHERE g.table_schema = %(schema)s"
            " AND g.grantee LIKE 'bg%%'"
            " UNION SELECT c.grantee, c.table_name, c.privilege_type, true FROM"
            " information_schema.role_column_grants AS c WHERE c.table_schema = %(schema)s"
            " AND c.grantee LIKE 'bg%%' AND NOT has_table_privilege(c.grantee,"
            " format('%%I.%%I', c.table_schema, c.table_name), c.privilege_type)",
            {"schema": SCHEMA},
        ).fetchall()
    assert set(rows) == listed


def test_who_switches_by_hand_asks_the_job_to_go_back_and_for_nothing_else(
    settings: Settings, job: str
) -> None:
    ask = "INSERT INTO bluegreen_control.request (job, what, by) VALUES (%s, %s, 'hand')"
    with as_(settings, "proxy-agent") as session:
        session.execute(ask, (job, "rollback"))
        for what in ("finish", "approve", "abort", "keep-sync"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(ask, (job, what))
    with as_(settings, "coordinator") as session:
        read = session.execute("UPDATE bluegreen_control.request SET read_at = now()")
        assert read.rowcount == 1


def test_an_agent_is_no_superuser_and_owns_nothing(settings: Settings) -> None:
    with as_(settings, "") as owner:
        powers = owner.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
            " FROM pg_roles AS r WHERE rolname = ANY (%s)",
            (list(CONTROL_ROLES.values()),),
        ).fetchall()
    assert powers == [(False, 0)] * len(CONTROL_ROLES)


def test_a_reader_of_jobs_cannot_submit(settings: Settings) -> None:
    with pytest.raises(MigrationError, match="permission denied"):
        PostgresControlStore(database(settings, "validator")).submit(
            database="app", kind=Kind.SAFE, file_name="x.sql", sql="SELECT 1",
            options=RunOptions(), source=Colour.BLUE, requested_by="mallory",
        )  # fmt: skip

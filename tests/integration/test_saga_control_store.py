"""What a producer asks of the control database, on a real one."""

from __future__ import annotations

import re
import threading

import pytest

from shared.adapters.control import connection
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.install import install
from shared.adapters.control.store import PostgresControlStore, control_store
from shared.domain.environment import Colour
from shared.domain.errors import (
    AlreadyApplied,
    AnotherJob,
    EditedAfterApplied,
    Refused,
    Transient,
)
from shared.domain.health import way_back_alert
from shared.domain.kinds import Kind, StepState
from shared.domain.migration import RunOptions
from shared.saga.recipes import RISKY
from shared.settings import Settings
from tests.support.control import control_database, settings_for
from tests.support.wait import until


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with control_database(tmp_path_factory.mktemp("state")) as settings:
        yield settings


@pytest.fixture
def database(settings: Settings):
    database = ControlDatabase(settings, application_name="test")
    with database.session() as session:
        session.execute("TRUNCATE bluegreen_control.job, bluegreen_control.lease,"
                        " bluegreen_control.audit CASCADE")  # fmt: skip
    yield database
    database.close()


@pytest.fixture
def store(database: ControlDatabase) -> PostgresControlStore:
    return PostgresControlStore(database)


def submit(store: PostgresControlStore, sql: str = "SELECT 1", **options: object) -> str:
    return store.submit(
        database="app", kind=Kind.RISKY, file_name="001.sql", sql=sql,
        options=RunOptions.model_validate(options), source=Colour.BLUE, requested_by="alice",
    )  # fmt: skip


def end(database: ControlDatabase, job: str, phase: str) -> None:
    with database.session() as session:
        session.execute(
            "UPDATE bluegreen_control.job SET phase = %s, outcome = %s, ended_at = now()"
            " WHERE id = %s",
            (phase, phase, job),
        )
        session.execute("UPDATE bluegreen_control.lease SET job = NULL")


def test_a_job_is_read_back_as_it_was_submitted(store):
    job = store.job(submit(store, "ALTER TABLE t ADD c int", hold=True))
    assert re.fullmatch(r"\d{8}-[0-9a-f]{4}", job.id)
    assert (job.kind, job.source, job.options.hold) == (Kind.RISKY, Colour.BLUE, True)
    assert (job.phase, job.step, job.outcome) == ("requested", None, None)
    assert [found.id for found in store.jobs(live_only=True)] == [job.id]


def test_what_the_options_leave_out_is_shown_as_skipped(store):
    steps = {step.name: step.state for step in store.steps(submit(store, hold=True))}
    assert steps["wait_for_window"] is StepState.SKIPPED
    assert steps["hold_for_approval"] is StepState.PENDING


def test_only_one_job_is_live_on_a_database(store):
    first = submit(store)
    with pytest.raises(AnotherJob) as refused:
        submit(store, "SELECT 2")
    assert refused.value.job == first


def test_a_file_that_a_job_completed_is_already_applied_and_may_not_be_edited(store, database):
    first = submit(store)
    end(database, first, "completed")
    with pytest.raises(AlreadyApplied) as already:
        submit(store)
    assert already.value.job == first
    with pytest.raises(EditedAfterApplied):
        submit(store, "SELECT 2")


def test_a_file_that_was_rolled_back_may_run_again(store, database):
    end(database, submit(store), "rolled_back")
    assert submit(store)


def test_a_request_that_makes_no_sense_is_refused_with_the_reason(store, database):
    job = submit(store)
    with pytest.raises(Refused, match="does not wait for `finish`"):
        store.request(job, "finish", by="bob")
    store.request(job, "abort", by="bob")
    end(database, job, "completed")
    with pytest.raises(Refused, match="has ended"):
        store.request(job, "rollback", by="bob")


def test_a_rollback_by_a_way_back_that_is_closed_is_refused_with_the_reason(store, database):
    job = submit(store)
    window = [step.name for step in RISKY].index("hold_rollback_window")
    alert = (way_back_alert(job), "the way back to blue is closed")
    with database.session() as session:
        session.execute(
            "UPDATE bluegreen_control.job SET phase = 'forward', at = %s, furthest = %s,"
            ' options = options || \'{"hold": true, "window": "22:00-04:00"}\'',
            (window, window),
        )
        session.execute(
            "INSERT INTO bluegreen_control.alert (name, severity, sentence)"
            " VALUES (%s, 'critical', %s)",
            alert,
        )
    for what in ("rollback", "keep-sync", "abort"):
        with pytest.raises(Refused, match="the way back to blue is closed"):
            store.request(job, what, by="bob")
    store.request(job, "finish", by="bob")
    with database.session() as session:
        session.execute("UPDATE bluegreen_control.alert SET cleared_at = now()")
    store.request(job, "keep-sync", by="bob")


def test_an_unknown_job_is_refused(store):
    with pytest.raises(Refused, match="there is no job nope"):
        store.job("nope")


def test_the_audit_chain_names_the_first_row_that_was_changed_or_removed(store, database):
    for number in range(5):
        store.append_audit(actor="alice", action="look", detail={"number": number})
    assert store.verify_audit() is None
    with database.session() as session:
        session.execute("UPDATE bluegreen_control.audit SET actor = 'bob' WHERE seq = 3")
        assert store.verify_audit() == 3
        session.execute("UPDATE bluegreen_control.audit SET actor = 'alice' WHERE seq = 3")
        assert store.verify_audit() is None
        session.execute("DELETE FROM bluegreen_control.audit WHERE seq = 2")
        assert store.verify_audit() == 3


def test_the_schema_may_be_installed_again_over_live_jobs(store, database):
    job = submit(store)
    with database.session() as session:
        install(session)
    assert store.job(job).id == job


def test_the_session_of_a_thread_is_closed_when_the_thread_ends(settings):
    database = ControlDatabase(settings, application_name="short-lived")

    def look() -> None:
        with database.session() as session:
            assert session.value("SELECT 1") == 1

    for _ in range(3):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(10)
    watcher = ControlDatabase(settings, application_name="watcher")
    with watcher.session() as session:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'short-lived'"
        until(lambda: session.value(count) == 0, limit_s=20, what="no session of an ended thread")
    watcher.close()


@pytest.mark.parametrize(("proven_s", "errors"), [(60.0, 1), (0.0, 0)])
def test_a_session_killed_between_two_uses_is_one_error_at_most_and_opened_again(
    settings, monkeypatch, proven_s, errors
):
    monkeypatch.setattr(connection, "PROVEN_S", proven_s)
    database = ControlDatabase(settings, application_name="killed")
    watcher = ControlDatabase(settings, application_name="watcher")
    with database.session() as session, watcher.session() as killer:
        first = session.value("SELECT pg_backend_pid()")
        killer.value("SELECT pg_terminate_backend(%s, 5000)", (first,))
    met = 0
    for _ in range(2):
        try:
            with database.session() as session:
                assert session.value("SELECT pg_backend_pid()") != first
        except Transient:
            met += 1
    assert met == errors
    database.close()
    watcher.close()


def test_a_control_database_that_is_down_is_transient(tmp_path):
    store = control_store(settings_for(tmp_path, control_port=9))
    with pytest.raises(Transient):
        store.jobs()

"""What is old goes from the control database, and what is still needed stays, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from producer.reports.document import report_document
from producer.reports.markdown import markdown
from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.retention_store import RetentionStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.health.control import AuditCheck
from shared.adapters.health.job_figures import JobFigures
from shared.domain.environment import Colour
from shared.domain.errors import AlreadyApplied, EditedAfterApplied
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from shared.domain.objects import CONTROL_ROLES
from shared.settings import RetentionSettings, Settings
from tests.support.cluster import postgres
from tests.support.control import installed_with_roles
from workers.coordinator.keeping import Keeping

DETAILS = (
    "step", "history", "answer", "outbox", "request", "observation", "switch", "rehearsal",
    "comparison",
)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with postgres() as server:
        yield installed_with_roles(tmp_path_factory.mktemp("state"), server)


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection]:
    control = settings.control
    with psycopg.connect(
        host=control.host, port=control.port, dbname=control.database, user=control.user,
        autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute(
            "TRUNCATE bluegreen_control.job, bluegreen_control.lease, bluegreen_control.audit,"
            " bluegreen_control.alert, bluegreen_control.silence, bluegreen_control.observation,"
            " bluegreen_control.check_result, bluegreen_control.rollback_point,"
            " bluegreen_control.baseline, bluegreen_control.removed_step CASCADE"
        )
        yield connection


def of(settings: Settings, agent: str) -> ControlDatabase:
    return ControlDatabase(settings, application_name="test", agent=agent)


def kept(settings: Settings, agent: str = "coordinator") -> RetentionStore:
    return RetentionStore(of(settings, agent))


def a_job(
    settings: Settings, owner: psycopg.Connection, name: str, *, days: float | None, sql: str = "S"
) -> str:
    """A job with a row in every table, ended so many days ago; None: it lives."""
    store = PostgresControlStore(of(settings, "producer"))
    job = store.submit(
        database="app", kind=Kind.RISKY, file_name=name, sql=sql, options=RunOptions(),
        source=Colour.BLUE, requested_by="alice",
    )  # fmt: skip
    for statement in (
        "INSERT INTO step VALUES (%s, 'catch_up', 'done', 1, 1, '', now() - interval '3s', now())",
        "INSERT INTO fact VALUES (%s, 'rehearse', '{}')",
        "INSERT INTO fact VALUES (%s, 'compare_rows', '{}')",
        "INSERT INTO history (job, at, phase, event, attempt, epoch, sentence)"
        " VALUES (%s, now(), 'forward', 'e', 1, 1, 's')",
        "INSERT INTO answer (job, step, direction, attempt, epoch, kind, said, look_again_s,"
        " family, remedy) VALUES (%s, 's', 'forward', 1, 1, 'done', '', 0, '', '')",
        "INSERT INTO outbox (job, step, owner, direction, attempt, epoch, due_at)"
        " VALUES (%s, 's', 'replicator', 'forward', 1, 1, now())",
        "INSERT INTO request (job, what, by) VALUES (%s, 'finish', 'alice')",
        "INSERT INTO observation (job, key, body) VALUES (%s, 'impact', '{}')",
        "INSERT INTO switch (job, attempt, direction, at, window_ms, phases_ms, connections_cut,"
        " samples) VALUES (%s, 1, 'blue->green', now(), 1, '{}', 0, '[]')",
        "INSERT INTO rehearsal (job, mapping, run_as) VALUES (%s, '{}', 'app')",
        "INSERT INTO comparison (job, progress) VALUES (%s, '{}')",
    ):
        owner.execute("SET search_path = bluegreen_control")
        owner.execute(statement, (job,))
    verdict = {"tables": 2, "rows_compared": 7, "rows_different": 0, "lsn": "0/1", "at": "then",
               "fingerprint": "f", "columns_not_compared": []}  # fmt: skip
    owner.execute(
        "UPDATE fact SET body = %s WHERE job = %s AND step = 'compare_rows'", (Jsonb(verdict), job)
    )
    if days is not None:
        owner.execute(
            "UPDATE job SET outcome = 'completed', phase = 'completed',"
            " ended_at = now() - make_interval(secs => 86400 * %s) WHERE id = %s",
            (days, job),
        )
        owner.execute("UPDATE lease SET job = NULL")
    return job


def left(owner: psycopg.Connection, job: str) -> set[str]:
    """The tables that still have a row of the job's details."""
    found = {
        table
        for table in DETAILS
        if owner.execute(f"SELECT FROM bluegreen_control.{table} WHERE job = %s", (job,)).rowcount
    }
    facts = owner.execute("SELECT step FROM bluegreen_control.fact WHERE job = %s", (job,))
    return found | {step for (step,) in facts}


EVERYTHING = {*DETAILS, "rehearse", "compare_rows"}


def test_the_details_of_old_jobs_go_and_those_of_others_stay(
    settings: Settings, owner: psycopg.Connection
) -> None:
    old = a_job(settings, owner, "001.sql", days=91)
    younger = a_job(settings, owner, "002.sql", days=89)
    live = a_job(settings, owner, "003.sql", days=None)
    assert kept(settings).remove(90, by="coordinator") == (1, 0)
    assert left(owner, old) == {"compare_rows"}
    assert left(owner, younger) == left(owner, live) == EVERYTHING
    assert kept(settings).remove(90, by="coordinator") == (0, 0)


def test_a_live_job_keeps_everything_however_old_it_is(
    settings: Settings, owner: psycopg.Connection
) -> None:
    """One that waits in its window, or for an operator, for months."""
    live = a_job(settings, owner, "001.sql", days=None)
    owner.execute("UPDATE job SET requested_at = now() - interval '1 year', phase = 'stuck',"
                  " outcome = 'needs_operator'")  # fmt: skip
    assert kept(settings).remove(2, by="coordinator") == (0, 0)
    assert left(owner, live) == EVERYTHING


def test_what_was_promised_for_two_days_stays_whatever_is_asked_for(
    settings: Settings, owner: psycopg.Connection
) -> None:
    job = a_job(settings, owner, "001.sql", days=1.9)
    assert kept(settings).remove(0, by="coordinator") == (0, 0)
    assert left(owner, job) == EVERYTHING


def test_a_file_that_was_applied_years_ago_is_still_not_run_again(
    settings: Settings, owner: psycopg.Connection
) -> None:
    a_job(settings, owner, "001.sql", days=900, sql="DROP TABLE a")
    kept(settings).remove(90, by="coordinator")
    store = PostgresControlStore(of(settings, "producer"))
    with pytest.raises(AlreadyApplied):
        store.expect_unapplied(database="app", file_name="001.sql", sql="DROP TABLE a")
    with pytest.raises(EditedAfterApplied):
        store.expect_unapplied(database="app", file_name="001.sql", sql="DROP TABLE b")


def test_what_it_proved_is_reported_and_what_is_gone_is_said(
    settings: Settings, owner: psycopg.Connection
) -> None:
    job = a_job(settings, owner, "001.sql", days=91)
    kept(settings).remove(90, by="coordinator")
    store = PostgresControlStore(of(settings, "producer"))
    record = store.job(job)
    assert record.sql == ""
    body = report_document(record, store.steps(job), [])
    assert body["comparison"]["rowsCompared"] == 7
    assert body["checklist"] == []
    text = markdown(body)
    assert "Its details were removed on " in text
    assert "Checklists" not in text
    assert store.history(job) == []


def test_the_audit_says_whose_details_went_and_its_chain_holds(
    settings: Settings, owner: psycopg.Connection
) -> None:
    job = a_job(settings, owner, "001.sql", days=91)
    kept(settings, "producer").remove(90, by="alice")
    (actor, detail) = owner.execute(
        "SELECT actor, detail FROM audit WHERE action = 'details removed'"
    ).fetchone()
    assert (actor, detail) == ("alice", {"jobs": [job], "days": 90})
    with of(settings, "producer").session() as session:
        assert audit.first_broken(session) is None


def test_no_counter_runs_backwards(settings: Settings, owner: psycopg.Connection) -> None:
    a_job(settings, owner, "001.sql", days=91)
    a_job(settings, owner, "002.sql", days=92)
    a_job(settings, owner, "003.sql", days=3)
    owner.execute("UPDATE step SET started_at = ended_at - interval '1 s' WHERE job ="
                  " (SELECT id FROM job WHERE file_name = '002.sql')")  # fmt: skip

    def counted() -> dict[tuple[str, ...], float]:
        figures = JobFigures(of(settings, "health-monitor"), settings)
        return {
            (sample.name, *sample.labels.values()): sample.value
            for metric in figures.collect()
            if metric.type in ("counter", "histogram")
            for sample in metric.samples
        }

    before = counted()
    assert before["mig_step_duration_seconds_bucket", "catch_up", "1.0"] == 1
    assert before["mig_step_duration_seconds_bucket", "catch_up", "5.0"] == 3
    assert before["mig_step_duration_seconds_sum", "catch_up"] == pytest.approx(7)
    for days in (91.5, 90):  # one by one: sums are added to
        assert kept(settings).remove(days, by="coordinator")[0] == 1
        assert counted() == pytest.approx(before)


def test_what_stands_beside_jobs_goes_with_its_age_and_the_last_baseline_stays(
    settings: Settings, owner: psycopg.Connection
) -> None:
    long_ago = "now() - interval '100 days'"
    for statement in (
        f"INSERT INTO alert VALUES (DEFAULT, 'a', 'info', '', '{{}}', {long_ago}, {long_ago})",
        f"INSERT INTO alert VALUES (DEFAULT, 'b', 'info', '', '{{}}', {long_ago}, NULL)",
        f"INSERT INTO silence (pattern, until, by, reason) VALUES ('a', {long_ago}, 'x', 'y')",
        "INSERT INTO silence (pattern, until, by, reason, at)"
        f" VALUES ('b', now() + interval '1 day', 'x', 'y', {long_ago})",
        f"INSERT INTO check_result VALUES ('gone', true, 'info', '', 0, {long_ago})",
        "INSERT INTO check_result VALUES ('made', true, 'info', '', 0, now())",
        "INSERT INTO rollback_point VALUES"
        f" ('p', 'j', 'app', 'schema', {long_ago}, NULL, false, 0, 0, {long_ago}),"
        f" ('q', 'j', 'app', 'schema', {long_ago}, NULL, false, 0, 0, NULL)",
        f"INSERT INTO baseline VALUES ('app', {long_ago} - interval '1 day', '{{}}'),"
        f" ('app', {long_ago}, '{{}}')",
    ):
        owner.execute("SET search_path = bluegreen_control")
        owner.execute(statement)
    shown = {each.what: each.found for each in kept(settings, "producer").expired(90)}
    assert set(shown.values()) == {1}
    assert len(shown) == 5
    assert kept(settings).remove(90, by="coordinator") == (0, 5)
    assert kept(settings, "producer").expired(90) == []
    for table in ("alert", "silence", "check_result", "rollback_point", "baseline"):
        assert owner.execute(f"SELECT FROM {table}").rowcount == 1, table


def test_a_look_removes_nothing(settings: Settings, owner: psycopg.Connection) -> None:
    job = a_job(settings, owner, "001.sql", days=91)
    (found,) = kept(settings, "producer").expired(90)
    assert (found.what, found.found) == ("details of jobs", 1)
    assert left(owner, job) == EVERYTHING


def test_two_at_once_remove_each_job_once(settings: Settings, owner: psycopg.Connection) -> None:
    for number in range(45):
        a_job(settings, owner, f"{number}.sql", days=91)
    removed: list[int] = []

    def remove() -> None:
        removed.append(kept(settings).remove(90, by="coordinator")[0])

    threads = [threading.Thread(target=remove) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(removed) == 45
    steps = owner.execute("SELECT sum(steps) FROM bluegreen_control.removed_step").fetchone()
    assert steps == (45,)
    named = owner.execute(
        "SELECT count(*), count(DISTINCT job) FROM bluegreen_control.audit,"
        " jsonb_array_elements_text(detail -> 'jobs') AS job WHERE action = 'details removed'"
    ).fetchone()
    assert named == (45, 45)


def test_the_coordinators_round_obeys_a_limit_that_was_changed_meanwhile(
    settings: Settings, owner: psycopg.Connection
) -> None:
    job = a_job(settings, owner, "001.sql", days=30)
    limits = [
        settings.model_copy(update={"retention": RetentionSettings(job_days=days)})
        for days in (90, 14)
    ]
    keeping = Keeping(kept(settings), lambda: limits.pop(0))
    assert keeping.go()
    assert left(owner, job) == EVERYTHING
    assert keeping.go()
    assert left(owner, job) == {"compare_rows"}


def test_nobody_deletes_a_record_past_the_law(
    settings: Settings, owner: psycopg.Connection
) -> None:
    control = settings.control
    for agent in CONTROL_ROLES:
        with psycopg.connect(
            host=control.host, port=control.port, dbname=control.database,
            user=CONTROL_ROLES[agent], autocommit=True,
        ) as session:  # fmt: skip
            calls = ["DELETE FROM bluegreen_control.job", "DELETE FROM bluegreen_control.history",
                     "DELETE FROM bluegreen_control.audit"]  # fmt: skip
            if agent not in ("coordinator", "producer"):
                calls += ["SELECT bluegreen_control.remove_details(90, 1, '{}', 'x')",
                          "SELECT bluegreen_control.remove_old(90)"]  # fmt: skip
            for call in calls:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(call)


def test_the_audit_is_read_at_most_a_hundredth_of_the_time(
    settings: Settings, owner: psycopg.Connection
) -> None:
    """However long the chain is: here a look at it takes a second by the clock."""
    ticks = iter([0.0, 1.0, 100.9, 101.0, 102.0])
    check = AuditCheck(lambda: next(ticks))
    a_job(settings, owner, "001.sql", days=None)
    with of(settings, "health-monitor").session() as session:
        assert check.look(session).healthy
        owner.execute("UPDATE audit SET actor = 'nobody'")
        assert check.look(session).healthy, "as of the last look"
        assert not check.look(session).healthy

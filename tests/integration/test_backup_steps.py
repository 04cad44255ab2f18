"""The backup agent's steps, by the runner's law: repeated, dying half way, undone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.backup import backup_deed, backups
from shared.adapters.backup.backup_directory import BackupDirectory
from shared.domain.errors import Broken, Transient
from shared.domain.kinds import Kind
from shared.ports import Done, Pending
from shared.runner import forward
from tests.support.paper_stack import PaperStack, paper_stack
from tests.support.steps import a_job, done, undone
from tests.support.wait import until
from workers.backup.steps.dump_rollback_point import DumpRollbackPoint
from workers.backup.steps.take_rollback_point import TakeRollbackPoint
from workers.backup.steps.verify_rollback_point import VerifyRollbackPoint

SQL = "ALTER TABLE users DROP COLUMN name; CREATE INDEX ON notes (body)"
JOB = a_job(sql=SQL)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStack]:
    with paper_stack(tmp_path_factory.mktemp("stack")) as stack:
        with stack.blue.connect("app", "app") as connection:
            connection.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)")
            connection.execute("CREATE TABLE notes (id int, body text)")
            connection.execute("CREATE TABLE other (id int)")
            connection.execute(
                "INSERT INTO users (name) SELECT md5(n::text) FROM generate_series(1, 50000) n"
            )
            connection.execute("INSERT INTO notes VALUES (1, 'x')")
        yield stack


@pytest.fixture
def stack(servers: PaperStack, tmp_path: Path) -> Iterator[PaperStack]:
    settings = servers.settings.model_copy(update={"backup_dir": tmp_path / "backups"})
    yield PaperStack(servers.blue, servers.control, settings)
    backup_deed.end_all(settings)


@pytest.fixture
def points(stack: PaperStack) -> BackupDirectory:
    """Everything that can be is a deed."""
    return BackupDirectory(stack.settings, at_once_s=0, at_once_bytes=0)


def databases(stack: PaperStack) -> list[str]:
    with stack.control.connect() as connection:
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^bluegreen_(scratch|aside)'"
        )
        return [name for (name,) in found]


def test_a_risky_point_is_taken_in_two_parts_and_verified(
    stack: PaperStack, points: BackupDirectory
) -> None:
    taken = done(TakeRollbackPoint(points), JOB)
    assert taken.facts["scope"] == "affected"
    assert Path(str(taken.facts["path"])).is_file()
    assert not DumpRollbackPoint(points).is_done(JOB)
    done(DumpRollbackPoint(points), JOB)
    verified = done(VerifyRollbackPoint(points), JOB)
    assert verified.facts["rows"] == 50_001
    until(lambda: databases(stack) == [], limit_s=20, what="what was restored is dropped")


def test_what_is_small_is_done_at_once_and_what_is_not_becomes_a_deed(stack: PaperStack) -> None:
    points = BackupDirectory(stack.settings, at_once_s=30)  # on a slow host too
    done(TakeRollbackPoint(points), JOB)
    for step in (DumpRollbackPoint(points), VerifyRollbackPoint(points)):
        answer = forward(step, JOB)
        assert isinstance(answer, Done)
        assert answer.sentence.replace(",", "").count("50001") == 1
    points.discard_data(JOB.id)
    hurried = BackupDirectory(stack.settings, at_once_s=1e-9)
    assert isinstance(forward(DumpRollbackPoint(hurried), JOB), Pending)
    assert isinstance(done(DumpRollbackPoint(hurried), JOB), Done)


def test_a_full_point_is_taken_in_one_step(points: BackupDirectory) -> None:
    job = a_job(Kind.MAINTENANCE, sql=SQL)
    assert isinstance(forward(TakeRollbackPoint(points), job), Pending)
    done(TakeRollbackPoint(points), job)
    point = points.of_job(job.id)
    assert point is not None
    assert point.tables == ("public.notes", "public.other", "public.users")


def test_no_point_is_taken_when_none_is_wanted(points: BackupDirectory) -> None:
    job = a_job(options={"backup": "none"})
    for step in (TakeRollbackPoint(points), DumpRollbackPoint(points), VerifyRollbackPoint(points)):
        assert done(step, job).sentence == "nothing was left to do"
    assert points.of_job(job.id) is None


def test_a_safe_point_is_quick(points: BackupDirectory) -> None:
    """Usually 0.1 s; the best of three, for busy hosts."""
    seconds = []
    for number in range(3):
        began = time.perf_counter()
        done(TakeRollbackPoint(points), a_job(Kind.SAFE, sql=SQL, id=f"20261123-000{number}"))
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 3


def test_undo_marks_the_point_unused_and_ends_what_runs(
    stack: PaperStack, points: BackupDirectory
) -> None:
    undone(TakeRollbackPoint(points), JOB)
    done(TakeRollbackPoint(points), JOB)
    assert isinstance(forward(DumpRollbackPoint(points), JOB), Pending)
    undone(DumpRollbackPoint(points), JOB)
    undone(TakeRollbackPoint(points), JOB)
    undone(TakeRollbackPoint(points), JOB)
    assert points.of_job(JOB.id) is None
    (kept,) = backups.listed(stack.settings)
    assert kept.point.unused
    assert kept.point.part("data") is None
    assert list((stack.settings.backup_dir / ".deeds").iterdir()) == []


def test_a_point_that_was_deleted_meanwhile_stops_the_migration(
    stack: PaperStack, points: BackupDirectory
) -> None:
    done(TakeRollbackPoint(points), JOB)
    for path in stack.settings.backup_dir.glob("rollback-*"):
        path.unlink()
    with pytest.raises(Broken, match="found it deleted"):
        forward(DumpRollbackPoint(points), JOB)
    with pytest.raises(Broken, match="found it deleted"):
        forward(VerifyRollbackPoint(points), JOB)


WORKER = """
import sys
from shared.adapters.backup.backup_directory import BackupDirectory
from shared.settings import Settings
settings = Settings.model_validate_json(open(sys.argv[1]).read())
points = BackupDirectory(settings, at_once_s=0)
print(points.dump_data(points.of_job(sys.argv[2]), ["public.users"]).state, flush=True)
sys.stdin.read()
"""


def held_dump(stack: PaperStack, tmp_path: Path) -> subprocess.Popen[str]:
    """A worker that began a dump, which waits for a lock that the test holds."""
    (tmp_path / "settings.json").write_text(stack.settings.model_dump_json())
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, tmp_path / "settings.json", JOB.id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert worker.stdout is not None
    assert worker.stdout.readline() == "running\n"
    return worker


def pid_of(record: Path) -> int:
    """The deed's process; its shell writes the number once it runs, a moment after its start."""
    file = record / "pid"
    until(lambda: file.exists() and file.read_text().strip(), limit_s=10, what="the deed's pid")
    return int(file.read_text())


def test_a_dump_outlives_the_worker_and_is_adopted(
    stack: PaperStack, points: BackupDirectory, tmp_path: Path
) -> None:
    done(TakeRollbackPoint(points), JOB)
    with stack.blue.connect("app") as holder, holder.transaction():
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        worker = held_dump(stack, tmp_path)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
        record = next((stack.settings.backup_dir / ".deeds").iterdir())
        process = pid_of(record)
        assert isinstance(forward(DumpRollbackPoint(points), JOB), Pending)
        assert pid_of(record) == process
    done(DumpRollbackPoint(points), JOB)
    point = points.of_job(JOB.id)
    assert point is not None
    assert point.rows == 50_000
    deadline = time.monotonic() + 10
    while list(record.parent.iterdir()):
        assert time.monotonic() < deadline, "prune leaves the record of an ended deed"
        backups.prune(stack.settings)


def test_a_dump_that_was_killed_begins_anew(
    stack: PaperStack, points: BackupDirectory, tmp_path: Path
) -> None:
    done(TakeRollbackPoint(points), JOB)
    with stack.blue.connect("app") as holder, holder.transaction():
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        worker = held_dump(stack, tmp_path)
        record = next((stack.settings.backup_dir / ".deeds").iterdir())
        os.killpg(pid_of(record), signal.SIGKILL)
        worker.communicate()
        with pytest.raises(Transient, match="died"):
            done(DumpRollbackPoint(points), JOB)
    assert isinstance(done(DumpRollbackPoint(points), JOB), Done)
    assert list(stack.settings.backup_dir.glob("*.partial")) == []


def test_what_a_dump_failed_with_is_raised_to_the_saga(
    stack: PaperStack, points: BackupDirectory
) -> None:
    done(TakeRollbackPoint(points), JOB)
    with stack.blue.connect("app") as holder, holder.transaction():
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Transient, match="statement timeout"):
            done(DumpRollbackPoint(points), JOB)

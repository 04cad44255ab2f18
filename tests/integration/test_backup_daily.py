"""Every day: old points go, and those that count are proven to be what they were."""

import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.backup import backups
from shared.adapters.backup.backup_directory import BackupDirectory
from shared.adapters.backup.point_files import PointFiles
from shared.adapters.control.backup_store import BackupStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.install import install
from shared.adapters.control.store import PostgresControlStore
from shared.domain.rollback_point import Manifest
from tests.support.paper_stack import PaperStack, paper_stack
from tests.support.steps import a_job
from tests.support.told_alerts import ToldAlerts
from workers.backup.daily_round import DailyRound
from workers.backup.daily_verification import DailyVerification

A_WEEK = timedelta(days=7, minutes=1)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStack]:
    with paper_stack(tmp_path_factory.mktemp("stack")) as stack:
        with stack.blue.connect("app", "app") as connection:
            connection.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1), (2)")
        database = ControlDatabase(stack.settings, application_name="test")
        with database.session() as session:
            install(session)
        database.close()
        yield stack


@pytest.fixture
def stack(servers: PaperStack, tmp_path: Path) -> PaperStack:
    settings = servers.settings.model_copy(update={"backup_dir": tmp_path / "backups"})
    return PaperStack(servers.blue, servers.control, settings)


def verified(stack: PaperStack, job: str, *, age: timedelta = timedelta()) -> Manifest:
    """A point with rows, verified, and as old as wanted."""
    points = BackupDirectory(stack.settings)
    point = points.take_schema(a_job(id=job), "affected")
    points.dump_data(point, ["users"])
    found = backups.verify(stack.settings, point.name)
    aged = found.model_copy(update={"taken_at": datetime.now(UTC) - age})
    PointFiles(stack.settings.backup_dir).save(aged)
    return aged


def a_day_later(stack: PaperStack, stamp: str) -> None:
    yesterday = time.time() - 24 * 3600 - 1
    os.utime(stack.settings.backup_dir / stamp, (yesterday, yesterday))


def test_old_points_go_and_the_index_follows(stack: PaperStack) -> None:
    database = ControlDatabase(stack.settings, application_name="test")
    index = BackupStore(database)
    daily = DailyRound(
        stack.settings, PostgresControlStore(database), index, lambda: stack.settings
    )
    old = verified(stack, "20261101-0001", age=A_WEEK)
    newer = verified(stack, "20261101-0002", age=A_WEEK / 2)
    by_hand = verified(stack, "20261101-0003", age=A_WEEK)
    (stack.settings.backup_dir / by_hand.parts[0].file).unlink()
    daily.go()
    assert [each.point.name for each in backups.listed(stack.settings)] == [newer.name]
    assert {path.name for path in stack.settings.backup_dir.glob("rollback-*")} == {
        f"{newer.name}.json", *(part.file for part in newer.parts)
    }  # fmt: skip
    assert index.newest_verified("app") == newer.verified_at
    again = verified(stack, old.job, age=A_WEEK)
    daily.go()
    assert len(backups.listed(stack.settings)) == 2, "once a day is enough"
    a_day_later(stack, ".pruned")
    daily.go()
    assert again.name not in [each.point.name for each in backups.listed(stack.settings)]
    database.close()


def test_every_point_that_counts_is_read_again_and_the_newest_restored(stack: PaperStack) -> None:
    alerts = ToldAlerts()
    daily = DailyVerification(stack.settings, alerts)
    older = verified(stack, "20261101-0001", age=timedelta(hours=2))
    newest = verified(stack, "20261101-0002", age=timedelta(hours=1))
    assert daily.go()
    assert not daily.go(), "once a day is enough"
    seen = {each.point.name: each.point.verified_at for each in backups.listed(stack.settings)}
    assert seen[older.name] == older.verified_at
    assert seen[newest.name] != newest.verified_at
    assert alerts.told == []

    path = stack.settings.backup_dir / older.parts[1].file
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    a_day_later(stack, ".verified")
    assert daily.go()
    assert "damaged: expected SHA-256" in alerts.raised[f"backup.damaged/{older.name}"]
    found = {each.point.name: each.point for each in backups.listed(stack.settings)}
    assert found[older.name].verified_at is None
    assert found[newest.name].verified_at is not None


def test_a_second_agent_over_the_same_directory_leaves_it_to_the_first(stack: PaperStack) -> None:
    stack.settings.backup_dir.mkdir()
    stamp = stack.settings.backup_dir / ".verified"
    with stamp.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not DailyVerification(stack.settings, ToldAlerts()).go()
    assert DailyVerification(stack.settings, ToldAlerts()).go()

"""A rollback point is taken, proven elsewhere, restored by hand, and never lacks rows silently."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.adapters.backup import backups
from shared.adapters.backup.backup_directory import BackupDirectory
from shared.adapters.backup.point_work import dump_data_part, verify_point
from shared.adapters.backup.scratch import load, scratch, scratch_server
from shared.adapters.dump.pg_dump import program
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused, Transient
from shared.domain.rollback_point import part_file
from tests.support.cluster import bin_dir, postgres
from tests.support.paper_stack import PaperStack, prepare, settings_over
from tests.support.rollback_points import (
    encrypting,
    job,
    leftovers,
    quiet,
    stack_with_rows,
    taken,
    with_backups_in,
)
from tests.support.wait import until


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStack]:
    with stack_with_rows(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(servers: PaperStack, tmp_path: Path) -> PaperStack:
    return with_backups_in(tmp_path, servers)


def test_a_schema_point_is_taken_verified_and_leaves_nothing_behind(stack: PaperStack) -> None:
    point = taken(stack, "schema")
    assert BackupDirectory(stack.settings).verify(point).state == "succeeded"
    kept = BackupDirectory(stack.settings).of_job(point.job)
    assert kept is not None
    assert kept.verified_at is not None
    assert kept.name.startswith("rollback-20261123-7f3a-")
    until(lambda: leftovers(stack) == [], limit_s=20, what="what was restored is dropped")


def test_what_a_dead_process_set_aside_is_swept_and_roles_in_use_are_not(
    stack: PaperStack,
) -> None:
    """Killed between the verification and the drop: the round comes by. A role of ours goes only
    when no scratch database is being made or stands, in whichever process."""
    mark = "made by bluegreen for the time of a restore"
    with stack.control.connect() as connection:
        connection.execute("CREATE DATABASE bluegreen_aside_dead")
        with scratch(stack.settings, taken(stack, "schema")):
            connection.execute("CREATE ROLE needed_by_another NOLOGIN")
            connection.execute(f"COMMENT ON ROLE needed_by_another IS '{mark}'")
            backups.sweep_scratch(stack.settings)
            left = leftovers(stack)
        assert "bluegreen_aside_dead" not in left
        assert "needed_by_another" in left
    backups.sweep_scratch(stack.settings)
    until(lambda: leftovers(stack) == [], limit_s=20, what="nothing is left")


def test_the_rows_of_affected_tables_are_dumped_with_their_partitions_and_counted(
    stack: PaperStack,
) -> None:
    point = taken(stack, "affected", "users", '"Odd ""Orders"', "log", "not_there")
    data = point.part("data")
    assert data is not None
    assert data.rows == {'public."Odd ""Orders"': 2, "public.log_2026": 7, "public.users": 1000}
    verified = backups.verify(stack.settings, point.name)
    assert verified.verified_at is not None
    until(lambda: leftovers(stack) == [], limit_s=20, what="what was restored is dropped")


def test_a_full_point_holds_every_table(stack: PaperStack) -> None:
    point = taken(stack, "full")
    assert point.rows == 1009
    assert backups.verify(stack.settings, point.name).verified_at is not None


def test_a_file_that_touches_no_table_needs_no_rows(stack: PaperStack) -> None:
    assert taken(stack, "affected", "not_there").scope == "schema"


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("kind", ["schema", "data"])
def test_a_flipped_byte_is_found(
    stack: PaperStack, tmp_path: Path, kind: str, encrypted: bool
) -> None:
    if encrypted:
        stack.settings = encrypting(stack, tmp_path)
    point = taken(stack, "affected", "users")
    part = next(part for part in point.parts if part.kind == kind)
    path = stack.settings.backup_dir / part.file
    whole = path.read_bytes()
    for place in (10, len(whole) // 2, len(whole) - 3):
        path.write_bytes(flipped(whole, place))
        with pytest.raises(Broken, match="damaged: expected SHA-256"):
            backups.verify(stack.settings, point.name)
        with pytest.raises(Broken, match="damaged"):
            backups.restore(stack.settings, point.name, on=Colour.BLUE, into="no", confirm=True)
    until(lambda: leftovers(stack) == [], limit_s=20, what="what was restored is dropped")
    kept = BackupDirectory(stack.settings).of_job(point.job)
    assert kept is not None
    assert kept.verified_at is None
    path.write_bytes(whole)
    assert backups.verify(stack.settings, point.name).verified_at is not None


def flipped(whole: bytes, place: int) -> bytes:
    stored = bytearray(whole)
    stored[place] ^= 0x01
    return bytes(stored)


def test_psql_does_not_wait_for_the_rest_of_a_damaged_file(stack: PaperStack) -> None:
    """The file changes after its bytes were compared: the decompressor meets what is no frame."""
    point = taken(stack, "affected", "users")
    data = point.part("data")
    assert data is not None
    path = stack.settings.backup_dir / data.file
    path.write_bytes(path.read_bytes()[:2000] + bytes(2000))
    server = scratch_server(stack.settings, "postgres")
    began = time.monotonic()
    with pytest.raises((Broken, Refused)):
        load(program("psql", stack.settings, Colour.BLUE), server, path, keys=list, limit_s=60)
    assert time.monotonic() - began < 30


def test_a_full_disk_is_said_and_leaves_nothing(stack: PaperStack) -> None:
    point = taken(stack, "schema").model_copy(update={"scope": "affected"})
    file = part_file(point.name, "data", encrypted=False)
    full = stack.settings.backup_dir / f"{file}.partial"
    full.symlink_to("/dev/full")  # the kernel's own ENOSPC
    with pytest.raises(Transient, match="No space left on device; the partial file was removed"):
        dump_data_part(stack.settings, point, ["users"], quiet)
    assert not full.is_symlink()
    assert BackupDirectory(stack.settings).of_job(point.job) is not None
    assert dump_data_part(stack.settings, point, ["users"], quiet).rows == 1000


def test_a_point_of_other_rows_does_not_count(stack: PaperStack) -> None:
    point = taken(stack, "affected", "users")
    data = point.part("data")
    assert data is not None
    more = data.model_copy(update={"rows": {"public.users": 1001}})
    lying = point.with_part(more)
    with pytest.raises(Broken, match=r"expected 1001 rows of public\.users"):
        verify_point(stack.settings, lying, quiet)


def test_row_security_that_would_hide_rows_is_refused(stack: PaperStack) -> None:
    with stack.blue.connect("app") as connection:
        connection.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
        connection.execute("ALTER ROLE bg_backup NOBYPASSRLS")
        try:
            with pytest.raises(Refused, match="row security hides rows of users") as refused:
                taken(stack, "full")
        finally:
            connection.execute("ALTER ROLE bg_backup BYPASSRLS")
            assert taken(stack, "affected", "users").rows == 1000
            connection.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    assert refused.value.remedy == "ALTER ROLE bg_backup BYPASSRLS"


def test_large_objects_are_refused_with_a_remedy(stack: PaperStack) -> None:
    with stack.blue.connect("app") as connection:
        connection.execute("SELECT lo_from_bytea(4711, 'x')")
        try:
            with pytest.raises(Refused, match="1 large objects") as refused:
                taken(stack, "full")
        finally:
            connection.execute("SELECT lo_unlink(4711)")
    assert "bytea" in refused.value.remedy


def test_a_point_deleted_by_hand_is_gone_and_no_error(stack: PaperStack) -> None:
    point = taken(stack, "schema")
    (stack.settings.backup_dir / point.parts[0].file).unlink()
    assert BackupDirectory(stack.settings).of_job(point.job) is None
    (found,) = backups.listed(stack.settings)
    assert found.missing == (point.parts[0].file,)
    (stack.settings.backup_dir / f"{point.name}.json").unlink()
    assert backups.listed(stack.settings) == []
    with pytest.raises(Refused, match="it is gone"):
        backups.verify(stack.settings, point.name)


def test_a_restore_makes_a_database_beside_the_live_one(stack: PaperStack) -> None:
    point = taken(stack, "affected", "users")
    with pytest.raises(Refused, match="makes the database back"):
        backups.restore(stack.settings, point.name, on=Colour.BLUE, into="back", confirm=False)
    name = backups.restore(
        stack.settings, point.parts[0].file, on=Colour.BLUE, into="back", confirm=True
    )
    with stack.blue.connect(name) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
    with pytest.raises(Refused, match="is there already"):
        backups.restore(stack.settings, point.name, on=Colour.BLUE, into="back", confirm=True)
    with stack.blue.connect() as connection:
        connection.execute("DROP DATABASE back")


def test_an_older_pg_dump_is_refused_before_it_begins(tmp_path: Path) -> None:
    with postgres(18, cluster_name="blue") as server:
        prepare(server)
        settings = settings_over(tmp_path, server, server)
        old = settings.backup.model_copy(update={"bin_dir": bin_dir(15)})
        with pytest.raises(Refused, match=r"pg_dump is 15\..* and the server 18") as refused:
            BackupDirectory(settings.model_copy(update={"backup": old})).take_schema(
                job(), "schema"
            )
    assert "backup.bin_dir" in refused.value.remedy
    assert not settings.backup_dir.exists()


def test_a_table_that_cannot_be_locked_is_tried_again_later(stack: PaperStack) -> None:
    with psycopg.connect(stack.blue.dsn("app")) as holder:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Transient, match="timeout"):
            taken(stack, "schema")
    assert list(stack.settings.backup_dir.iterdir()) == []

"""A rollback point is taken, proven elsewhere, restored by hand, and never lacks rows silently."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyrage
import pytest

from shared.adapters import backups
from shared.adapters.backups import BackupDirectory
from shared.adapters.point_work import dump_data_part, verify_point
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused, Transient
from shared.domain.kinds import BackupScope, Kind
from shared.domain.migration import Job, RunOptions
from shared.domain.rollback_point import Manifest
from shared.settings import BackupSettings
from tests.support.cluster import bin_dir, postgres
from tests.support.paper_stack import PaperStack, paper_stack, prepare, settings_over

SCHEMA = """
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'glad');
    CREATE TABLE "Odd ""Orders" (id int PRIMARY KEY, user_id bigint REFERENCES users, note text);
    CREATE TABLE log (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
    INSERT INTO users (name) SELECT E'n\\\\.\\n' || n FROM generate_series(1, 1000) AS n;
    INSERT INTO "Odd ""Orders" VALUES (1, 1, '\\.'), (2, 2, NULL);
    INSERT INTO log SELECT n, '2026-02-01' FROM generate_series(1, 7) AS n;
    CREATE TRIGGER refuses BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION no();
    CREATE POLICY own ON users TO app USING (true);
    GRANT SELECT ON users TO app;
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStack]:
    with paper_stack(tmp_path_factory.mktemp("stack")) as stack:
        with stack.blue.connect("app", "app") as connection:
            connection.execute(SCHEMA)
        yield stack


@pytest.fixture
def stack(servers: PaperStack, tmp_path: Path) -> PaperStack:
    settings = servers.settings.model_copy(update={"backup_dir": tmp_path / "backups"})
    return PaperStack(servers.blue, servers.control, settings)


def job(scope: BackupScope | None = None) -> Job:
    return Job(
        id="20261123-7f3a", database="app", kind=Kind.RISKY, file_name="f.sql", sql="",
        options=RunOptions(backup=scope), source=Colour.BLUE, epoch=1, attempt=1,
    )  # fmt: skip


def quiet(_progress: float | None, _sentence: str) -> None: ...


def taken(stack: PaperStack, scope: BackupScope, *tables: str) -> Manifest:
    point = BackupDirectory(stack.settings).take_schema(job(), scope)
    if scope == "schema":
        return point
    return dump_data_part(stack.settings, point, tables, quiet)


def leftovers(stack: PaperStack) -> list[str]:
    with stack.control.connect() as connection:
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE datname NOT IN "
            "('postgres', 'template0', 'template1')"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
        ).fetchall()
    return [name for (name,) in databases + roles]


def test_a_schema_point_is_taken_verified_and_leaves_nothing_behind(stack: PaperStack) -> None:
    point = taken(stack, "schema")
    assert BackupDirectory(stack.settings).verify(point).state == "succeeded"
    kept = BackupDirectory(stack.settings).of_job(point.job)
    assert kept is not None
    assert kept.verified_at is not None
    assert kept.name.startswith("rollback-20261123-7f3a-")
    assert leftovers(stack) == []


def test_the_rows_of_affected_tables_are_dumped_with_their_partitions_and_counted(
    stack: PaperStack,
) -> None:
    point = taken(stack, "affected", "users", '"Odd ""Orders"', "log", "not_there")
    data = point.part("data")
    assert data is not None
    assert data.rows == {'public."Odd ""Orders"': 2, "public.log_2026": 7, "public.users": 1000}
    verified = backups.verify(stack.settings, point.name)
    assert verified.verified_at is not None
    assert leftovers(stack) == []


def test_a_full_point_holds_every_table(stack: PaperStack) -> None:
    point = taken(stack, "full")
    assert point.rows == 1009
    assert backups.verify(stack.settings, point.name).verified_at is not None


def test_a_file_that_touches_no_table_needs_no_rows(stack: PaperStack) -> None:
    assert taken(stack, "affected", "not_there").scope == "schema"


@pytest.mark.parametrize("kind", ["schema", "data"])
def test_a_flipped_byte_is_found(stack: PaperStack, kind: str) -> None:
    point = taken(stack, "affected", "users")
    part = next(part for part in point.parts if part.kind == kind)
    path = stack.settings.backup_dir / part.file
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 0x01
    path.write_bytes(stored)
    with pytest.raises(Broken):
        backups.verify(stack.settings, point.name)
    assert leftovers(stack) == []
    kept = BackupDirectory(stack.settings).of_job(point.job)
    assert kept is not None
    assert kept.verified_at is None


def test_a_point_of_other_rows_does_not_count(stack: PaperStack) -> None:
    point = taken(stack, "affected", "users")
    data = point.part("data")
    assert data is not None
    more = data.model_copy(update={"rows": {"public.users": 1001}})
    lying = point.with_part(more)
    with pytest.raises(Broken, match=r"expected 1001 rows of public\.users"):
        verify_point(stack.settings, lying, quiet)


def test_an_encrypted_point_is_readable_only_with_the_identity(
    stack: PaperStack, tmp_path: Path
) -> None:
    ours, theirs = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    key, wrong = tmp_path / "key", tmp_path / "wrong"
    key.write_text(f"# created: today\n{ours}\n")
    wrong.write_text(str(pyrage.x25519.Identity.generate()))
    keys = (str(ours.to_public()), str(theirs.to_public()))
    backup = BackupSettings(
        recipients=keys, identity_file=key, bin_dir=stack.settings.backup.bin_dir
    )
    stack.settings = stack.settings.model_copy(update={"backup": backup})
    point = taken(stack, "affected", "users")
    assert all(part.file.endswith(".sql.zst.age") for part in point.parts)
    for path in stack.settings.backup_dir.iterdir():
        assert b"users" not in path.read_bytes() or path.suffix == ".json"
    assert backups.verify(stack.settings, point.name).verified_at is not None

    stranger = backup.model_copy(update={"identity_file": wrong})
    with pytest.raises(Refused, match="cannot be decrypted"):
        backups.verify(stack.settings.model_copy(update={"backup": stranger}), point.name)
    nobody = backup.model_copy(update={"identity_file": None})
    with pytest.raises(Refused, match="age identity"):
        BackupDirectory(stack.settings.model_copy(update={"backup": nobody})).take_schema(
            job(), "schema"
        )


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

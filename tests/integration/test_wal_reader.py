"""The commits of a server that does not run, by their LSN, from its own pg_wal."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.adapters.embedded.accounts import Account, server_account
from shared.adapters.wal_reader import SEGMENT, commits_after
from shared.domain.lsn import Lsn
from tests.support.cluster import postgres
from tests.support.servers import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_commits_of_a_dead_server_are_found_behind_a_place_and_only_those(version: int) -> None:
    owner = server_account()
    run_as = owner.name if owner else None
    with postgres(version) as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE t (a int)")
            row = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
            assert row is not None
            here = row[0]
            assert commits_after(server.data, server.bin, run_as, here) == []
            for number in range(3):
                connection.execute("INSERT INTO t VALUES (%s)", (number,))
            connection.execute("DROP TABLE t")
        server.stop("immediate")
        found = commits_after(server.data, server.bin, run_as, here)
        assert found is not None
        assert len(found) == 4
        assert [Lsn.parse(each.lsn) for each in found] == sorted(
            Lsn.parse(each.lsn) for each in found
        )
        assert all(Lsn.parse(each.lsn) >= Lsn.parse(here) for each in found)
        assert found[0].at.startswith("20")
        assert commits_after(server.data, server.bin, run_as, found[-1].lsn) == [found[-1]]
        _segments_in_hand(server.data / "pg_wal", owner)
        assert commits_after(server.data, server.bin, run_as, here) == found
        assert commits_after(server.data, server.bin, run_as, "F/0") is None
        (server.data / "pg_wal").rename(server.data / "gone")
        assert commits_after(server.data, server.bin, run_as, here) is None
        (server.data / "gone").rename(server.data / "pg_wal")


def _segments_in_hand(wal: Path, owner: Account | None) -> None:
    """Zeros under names of segments to come, as a server makes them ahead: whichever file of the
    directory is asked first for the segment size, it is one of these."""
    first = max(path.name for path in wal.iterdir() if SEGMENT.fullmatch(path.name))
    for number in range(1, 200):
        path = wal / f"{first[:16]}{int(first[16:], 16) + number:08X}"
        with path.open("wb") as file:
            file.truncate(16 << 20)
        if owner is not None:
            owner.own(path)

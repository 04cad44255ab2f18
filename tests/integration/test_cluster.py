"""The servers that other tests stand on are real and of the version asked for."""

import pytest

from tests.support.cluster import postgres


@pytest.mark.parametrize("version", [15, 16, 18])
def test_a_server_of_each_version_answers(version: int) -> None:
    with postgres(version) as server, server.connect() as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
        assert row is not None
        assert int(row[0]) // 10_000 == version

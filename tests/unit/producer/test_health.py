"""Checks fall into the guide's three groups, and the worst of them gives the exit code."""

from __future__ import annotations

import pytest

from producer.exit_codes import ExitCode
from producer.health import code_of, document, group_of
from shared.domain.health import CheckResult


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("blue.available", "availability"),
        ("door.pooled", "availability"),
        ("agent.backup", "availability"),
        ("pooler.console", "availability"),
        ("pooler.waiting", "performance"),
        ("green.connections", "performance"),
        ("blue.retained_wal", "integrity"),
        ("replication.lag", "integrity"),
        ("sides.one_writable", "integrity"),
        ("rollback_point.verified", "integrity"),
    ],
)
def test_each_check_has_its_group(name: str, group: str) -> None:
    assert group_of(name) == group


def results(**healthy: bool) -> list[CheckResult]:
    return [CheckResult(name.replace("__", "."), ok, "") for name, ok in healthy.items()]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (results(blue__available=True, replication__lag=True), 0),
        (results(blue__available=True, replication__lag=False), 7),
        (results(blue__available=False, replication__lag=False), 69),
    ],
)
def test_the_worst_check_gives_the_code(found: list[CheckResult], code: int) -> None:
    assert code_of(found) == code


def test_the_document_says_whether_all_is_well() -> None:
    body = document(results(blue__available=True), [], ExitCode.DONE)
    assert body["healthy"] is True
    assert body["checks"][0]["group"] == "availability"

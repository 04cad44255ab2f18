"""The server's own words about an apply worker that stopped, out of its JSON log."""

import json

from workers.replicator.apply_errors import newest_error


def line(backend: str, severity: str, **more: str) -> str:
    return json.dumps({"backend_type": backend, "error_severity": severity, **more})


def test_the_newest_error_of_an_apply_worker_is_told_whole() -> None:
    lines = [
        line("client backend", "ERROR", message="somebody else's"),
        line("logical replication apply worker", "LOG", message="has started"),
        line("logical replication apply worker", "ERROR", message="m", detail="d", context="c"),
        line("logical replication worker", "ERROR", message="older"),
    ]
    assert newest_error(lines) == "m; d; c"


def test_a_line_that_is_cut_is_passed_over() -> None:
    lines = ['rror_severity": "ERROR"}', line("logical replication worker", "ERROR", message="m")]
    assert newest_error(lines) == "m"


def test_nothing_found_is_nothing_said() -> None:
    assert newest_error([]) == ""

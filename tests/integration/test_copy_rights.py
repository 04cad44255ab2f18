"""A right that a copy needs is missed when it is taken away, and the SQL that is named gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.adapters.drivers.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.objects import AGENT_ROLES
from tests.support.remote_pair import RemotePair, remote_pair
from tests.support.sides import BLUE, GREEN, job_on
from workers.health_monitor.copy_facts import read_copy_facts
from workers.health_monitor.snapshot import CopyFacts

NEWEST = 18
TAKEN = {
    "ALTER ROLE bg_owner NOCREATEROLE": "may not close roles",
    "ALTER ROLE bg_owner NOREPLICATION": "bg_owner may not use replication slots",
    "ALTER ROLE bg_replicator NOREPLICATION": "bg_replicator may not use replication slots",
    "ALTER ROLE bg_replicator NOCREATEDB": "copies of the rehearsal",
    "REVOKE bg_owner FROM bg_replicator": "does not act for bg_owner",
    "REVOKE pg_signal_backend FROM bg_owner": "not in pg_signal_backend",
    "REVOKE pg_monitor FROM bg_owner": "not in pg_monitor",
    "REVOKE bg_apply FROM bg_owner": "owns subscriptions",
    "REVOKE pg_create_subscription FROM bg_apply": "bg_apply is not in pg_create_subscription",
    "REVOKE EXECUTE ON FUNCTION pg_replication_origin_advance(text, pg_lsn) FROM bg_owner":
        "may not call pg_replication_origin_advance",
    "REVOKE SELECT ON pg_replication_origin_status FROM bg_owner": "how far a stream has come",
    "REVOKE SET ON PARAMETER session_replication_role FROM bg_owner": "without firing triggers",
    "CREATE ROLE reports LOGIN": "may not close role reports",
    "REVOKE app FROM bg_apply": "bg_apply does not act for app",
    "REVOKE pg_read_all_data FROM bg_repl_blue": "bg_repl_blue may not read",
}  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[RemotePair]:
    with remote_pair(NEWEST, superuser=False) as made:
        yield made


def look(pair: RemotePair, colour: Colour = BLUE) -> CopyFacts:
    node = make_nodes(pair.settings, AGENT_ROLES["health-monitor"])[colour]
    return read_copy_facts(node, job_on(BLUE))


def test_a_prepared_pair_lacks_nothing_and_nothing_of_ours_is_a_superuser(
    pair: RemotePair,
) -> None:
    for colour in (BLUE, GREEN):
        facts = look(pair, colour)
        assert facts.is_prepared
        assert facts.missing == ()
        assert not facts.is_superuser
    assert pair.rows(BLUE, "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin") == [
        ("postgres",)
    ]


@pytest.mark.parametrize(("taken", "says"), TAKEN.items(), ids=list(TAKEN.values()))
def test_a_right_that_was_taken_is_missed_until_its_remedy_ran(
    pair: RemotePair, taken: str, says: str
) -> None:
    pair.run(BLUE, taken)
    missing = look(pair).missing
    assert says in " ".join(what for what, _ in missing), missing
    for _, remedy in missing:
        pair.run(BLUE, remedy)
    assert look(pair).missing == ()


def test_a_superuser_that_may_log_in_is_to_be_named_as_exempt(pair: RemotePair) -> None:
    pair.run(BLUE, "CREATE ROLE dba LOGIN SUPERUSER")
    try:
        ((what, remedy),) = look(pair).missing
        assert "dba" in what
        assert "exempt_roles" in remedy
    finally:
        pair.run(BLUE, "DROP ROLE dba")

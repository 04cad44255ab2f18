"""The local driver on a real pair: it stops, starts, closes, recovers, and rebuilds a node."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.drivers.local_driver import LocalDriver
from shared.adapters.drivers.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused, Transient
from shared.domain.objects import STANDBY_SLOTS
from shared.ports import Node
from tests.support.stack import Stack, running_stack
from tests.support.wait import until

BLUE, GREEN = Colour.BLUE, Colour.GREEN
Nodes = dict[Colour, Node]


@pytest.fixture(scope="module", params=[15, 18])
def pair(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with running_stack(request.param) as running:
        yield running


@pytest.fixture
def nodes(pair: Stack) -> Nodes:
    return make_nodes(pair.settings, "bg_replicator")


def follow_blue(nodes: Nodes) -> dict[str, str]:
    return {
        "primary_conninfo": nodes[BLUE].replication_conninfo(database=None),
        "primary_slot_name": STANDBY_SLOTS["green"],
    }


def is_streaming(pair: Stack) -> bool:
    with pair.connect("blue") as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_replication").fetchone()
    return row == (1,)


def is_standby(node: Node) -> bool:
    with node.session() as session:
        return bool(session.value("SELECT pg_is_in_recovery()"))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_stopped_node_stays_stopped_until_it_is_started(nodes: Nodes, mode: str) -> None:
    driver = nodes[GREEN].driver
    driver.stop(mode=mode, limit_s=20)  # type: ignore[arg-type]
    assert not driver.is_running()
    with pytest.raises(Transient), nodes[GREEN].session():
        pass
    driver.stop(limit_s=20)
    driver.start(limit_s=20)
    driver.start(limit_s=20)
    assert driver.is_running()
    until(lambda: is_standby(nodes[GREEN]), limit_s=20, what="green is a standby")


def test_a_closed_node_rejects_the_application_and_lets_the_agents_in(
    pair: Stack, nodes: Nodes
) -> None:
    driver = nodes[GREEN].driver
    as_application = _as_application(pair, GREEN)
    assert driver.access() == "open"
    driver.set_access("closed")
    until(lambda: not _connects(as_application), limit_s=20, what="green rejects the application")
    assert driver.access() == "closed"
    assert is_standby(nodes[GREEN])
    driver.set_access("open")
    until(lambda: _connects(as_application), limit_s=20, what="green lets the application in")


def test_a_node_that_left_history_is_rewound_and_follows_again(pair: Stack, nodes: Nodes) -> None:
    green = nodes[GREEN]
    with green.session() as session:  # the guard keeps the WAL that the rewind will read
        session.execute("SELECT pg_create_physical_replication_slot('guard', true)")
        session.execute("CHECKPOINT")
        assert session.value("SELECT pg_promote()")
    until(lambda: not is_standby(green), limit_s=20, what="green is promoted")
    with green.session() as session:
        session.execute("CREATE TABLE on_green_only (id int)")
    with nodes[BLUE].session() as session:
        session.execute("CREATE TABLE on_blue (id int)")

    with pytest.raises(Broken, match="expected green to be stopped"):
        green.driver.start_deed("rewind", "pg_rewind", [])
    green.driver.stop(limit_s=20)
    source = nodes[BLUE].replication_conninfo(database="postgres")
    green.driver.start_deed("rewind", "pg_rewind", ["--source-server", source, "--progress"])
    _until_ended(green, "rewind")
    green.driver.forget_deed("rewind")
    green.driver.set_recovery(follow_blue(nodes), standby=True)
    green.driver.start(limit_s=20)
    until(lambda: is_streaming(pair), limit_s=20, what="green streams")
    with green.session() as session:
        assert session.value("SELECT to_regclass('on_green_only')") is None
    with nodes[BLUE].session() as session:
        session.execute("DROP TABLE on_blue")


def test_a_node_is_copied_anew_in_place_of_what_it_held(pair: Stack, nodes: Nodes) -> None:
    green = nodes[GREEN]
    green.driver.stop(mode="immediate", limit_s=20)
    conninfo = nodes[BLUE].replication_conninfo(database=None)
    green.driver.start_deed(
        "copy", "pg_basebackup", ["--dbname", conninfo, "--checkpoint", "fast", "--progress"]
    )
    _until_ended(green, "copy")
    green.driver.forget_deed("copy")
    assert green.driver.look_at_deed("copy").state == "absent"
    green.driver.set_recovery(follow_blue(nodes), standby=True)
    green.driver.start(limit_s=20)
    until(lambda: is_streaming(pair), limit_s=20, what="green streams")
    assert green.driver.free_disk_bytes() > 0


def test_a_deed_that_fails_says_why(nodes: Nodes) -> None:
    green = nodes[GREEN]
    green.driver.stop(limit_s=20)
    green.driver.start_deed("rewind", "pg_rewind", ["--source-server", "host=127.0.0.1 port=1"])
    until(lambda: green.driver.look_at_deed("rewind").state == "failed", limit_s=20, what="the end")
    assert "connection" in green.driver.look_at_deed("rewind").last_line.lower()
    green.driver.forget_deed("rewind")
    green.driver.set_recovery(follow_blue(nodes), standby=True)
    green.driver.start(limit_s=20)


def test_a_server_that_cannot_start_is_transient_and_names_its_last_words(nodes: Nodes) -> None:
    green = nodes[GREEN]
    assert isinstance(green.driver, LocalDriver)
    recovery = (green.driver.conf_dir / "recovery.conf").read_text()
    green.driver.stop(limit_s=20)
    (green.driver.conf_dir / "recovery.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(Transient, match="contains errors"):
        green.driver.start(limit_s=2)
    (green.driver.conf_dir / "recovery.conf").write_text(recovery)
    green.driver.start(limit_s=20)


def test_a_node_of_the_engine_is_only_an_address_to_whoever_reaches_no_keeper(pair: Stack) -> None:
    settings = pair.settings
    elsewhere = settings.nodes[GREEN].model_copy(update={"driver": "docker"})
    changed = settings.model_copy(update={"nodes": {**settings.nodes, GREEN: elsewhere}})
    node = make_nodes(changed, "bg_replicator")[GREEN]
    with pytest.raises(Refused, match="found only its address"):
        node.driver.stop(limit_s=5)


def _until_ended(node: Node, deed: str) -> None:
    until(lambda: node.driver.look_at_deed(deed).state != "running", limit_s=60, what="the deed")
    ended = node.driver.look_at_deed(deed)
    assert ended.state == "succeeded", ended


def _as_application(pair: Stack, colour: Colour) -> str:
    node = pair.settings.nodes[colour]
    dsn = psycopg.conninfo.conninfo_to_dict(pair.doors["app"])
    return psycopg.conninfo.make_conninfo(**{**dsn, "host": node.host, "port": node.port})


def _connects(dsn: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(dsn, connect_timeout=3).close()
        return True
    return False

"""The embedded stack on real processes: all of it answers, comes back, and leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from shared.adapters.deeds import Deeds
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.stack import down, up
from shared.adapters.processes import MARK, processes_of
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from tests.support.stack import Stack, running_stack
from tests.support.wait import until

CHILDREN = {
    "blue": "app", "green": "green", "control": "control", "pgbouncer": "app", "nginx": "direct",
}  # fmt: skip
"""Each child with a door that leads through it."""

BEGIN = """
import sys
from pathlib import Path
from shared.adapters.embedded.stack import up
up(Path(sys.argv[1]), agents=False)
"""


def asked(stack: Stack, door: str, query: str) -> object:
    with stack.connect(door) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("version", [15, 16, 17, 18])
def test_a_stack_of_each_version_stands_whole_and_leaves_nothing(version: int) -> None:
    with running_stack(version) as stack:
        for door in ("app", "direct", "blue", "green"):
            colour = Colour.GREEN if door == "green" else Colour.BLUE
            found = asked(stack, door, "SELECT current_setting('cluster_name')")
            assert found == stack.settings.nodes[colour].cluster_name
        assert int(str(asked(stack, "blue", "SHOW server_version_num"))) // 10_000 == version
        assert asked(stack, "green", "SELECT pg_is_in_recovery()") is True
        assert asked(stack, "blue", "SELECT state FROM pg_stat_replication") == "streaming"
        assert asked(stack, "blue", "SHOW data_checksums") == "on"
        assert asked(stack, "control", "SELECT current_user") == stack.settings.control.user
        assert str(asked(stack, "pgbouncerAdmin", "SHOW VERSION")).startswith("PgBouncer 1.2")
        with redis.from_url(stack.doors["redis"]) as client:
            assert client.ping()
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    assert stack.left_over() == []


@pytest.mark.parametrize("door", ["app", "direct"])
def test_the_application_is_a_plain_role_that_owns_its_database(stack: Stack, door: str) -> None:
    with stack.connect(door) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolreplication, pg_get_userbyid(datdba) "
            "FROM pg_roles, pg_database WHERE rolname = current_user AND datname = 'app'"
        ).fetchone()
    assert row == ("app", False, False, "app")


def test_servers_never_run_as_root(stack: Stack) -> None:
    for child in (*CHILDREN, "redis"):
        status = Path(f"/proc/{stack.pid(child)}/status").read_text()
        uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
        assert uid != "0", child


def test_each_server_lets_in_only_its_own_replication_role(stack: Stack) -> None:
    for colour in Colour:
        other = f"bg_repl_{colour.other}"
        node = stack.settings.nodes[colour]
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
            psycopg.connect(
                host=node.host, port=node.port, user=other, dbname="app",
                password=stack.settings.secret(other),
            )  # fmt: skip


@pytest.mark.parametrize("child", CHILDREN)
def test_a_killed_child_comes_back(stack: Stack, child: str) -> None:
    name = asked(stack, CHILDREN[child], "SELECT current_setting('cluster_name')")
    stack.until_back(child, stack.kill(child))
    stack.until_answers(CHILDREN[child])
    assert asked(stack, CHILDREN[child], "SELECT current_setting('cluster_name')") == name


def test_a_killed_redis_comes_back_with_what_it_held(stack: Stack) -> None:
    with redis.from_url(stack.doors["redis"]) as client:
        client.set("kept", "yes")
    stack.until_back("redis", stack.kill("redis"))
    patient = Retry(ConstantBackoff(0.1), 100)
    with redis.from_url(stack.doors["redis"], retry=patient) as client:
        assert client.get("kept") == b"yes"
        client.delete("kept")


def test_after_the_supervisor_is_killed_up_brings_the_same_stack_back() -> None:
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE kept (id int)")
        killed = stack.kill("supervisor")
        description = up(stack.state_dir, agents=False)
        assert description == stack.description
        assert stack.pid("supervisor") not in (None, killed)
        stack.until_answers("app")
        assert asked(stack, "app", "SELECT count(*) FROM kept") == 0
    assert stack.left_over() == []


def test_a_long_deed_goes_on_while_the_supervisor_is_replaced() -> None:
    with running_stack() as stack:
        deeds = Deeds(Layout(stack.state_dir).deeds)
        deeds.start("long", ["sleep", "60"], environment={MARK: str(stack.state_dir)})
        stack.kill("supervisor")
        up(stack.state_dir, agents=False)
        assert deeds.look("long").state == "running"
        down(stack.state_dir)
        assert stack.left_over() == []


def test_up_again_changes_nothing(stack: Stack) -> None:
    before = {child: stack.pid(child) for child in (*CHILDREN, "redis", "supervisor")}
    assert up(stack.state_dir, agents=False) == stack.description
    assert {child: stack.pid(child) for child in before} == before


def test_several_ups_and_downs_at_once_take_turns(place: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        described = set(pool.map(lambda it: up(it, agents=False), [place / "one"] * 3))
        assert len(described) == 1
        assert list(pool.map(down, [place / "one"] * 3)) == [None] * 3
    assert list(place.iterdir()) == []


def test_down_ends_what_a_killed_supervisor_left_behind() -> None:
    with running_stack() as stack:
        stack.kill("supervisor")
        down(stack.state_dir)
        assert stack.left_over() == []


@pytest.mark.parametrize("reached", ["blue/conf", "blue/data/base", "green/data/base"])
def test_a_start_that_was_killed_half_way_leaves_nothing_after_down(
    place: Path, reached: str
) -> None:
    with subprocess.Popen([sys.executable, "-c", BEGIN, str(place)]) as begun:
        until((place / reached).exists, limit_s=60, what=f"{reached} is there")
        begun.kill()
    assert not (place / "stack.json").exists()
    supervisor = ControlFiles(Layout(place).supervisor).supervisor()
    down(place)
    assert processes_of(place) == []
    assert not supervisor.is_running
    assert not place.exists()
    place.mkdir(mode=0o755)  # the fixture removes it


def test_a_start_that_was_killed_half_way_is_begun_anew(place: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", BEGIN, str(place)]) as begun:
        until((place / "blue/data/base").exists, limit_s=60, what="blue is being made")
        begun.kill()
    try:
        description = up(place, agents=False)
        with psycopg.connect(description.app) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        down(place)
    place.mkdir(mode=0o755)


def test_two_stacks_stand_side_by_side() -> None:
    with ThreadPoolExecutor(2) as pool, running_stack() as one, running_stack(18) as two:
        names = list(pool.map(
            lambda it: asked(it, "app", "SELECT current_setting('cluster_name')"), (one, two)
        ))  # fmt: skip
        assert names[0] != names[1]
        assert not set(one.ports()) & set(two.ports())
        down(one.state_dir)
        assert asked(two, "app", "SELECT 1") == 1


def test_a_stack_of_another_version_is_not_taken_for_it(stack: Stack) -> None:
    with pytest.raises(Refused, match="found one of"):
        up(stack.state_dir, 16, agents=False)


def test_a_stack_that_was_moved_is_refused_and_stands_again_once_it_is_back() -> None:
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE kept (id int)")
        stack.kill("supervisor")
        moved = stack.state_dir.rename(stack.state_dir.with_name("moved"))
        with pytest.raises(Refused, match=f"moved here from {stack.state_dir}") as refused:
            up(moved, agents=False)
        assert "move it back" in refused.value.remedy
        moved.rename(stack.state_dir)
        assert up(stack.state_dir, agents=False) == stack.description
        stack.until_answers("app")
        assert asked(stack, "app", "SELECT count(*) FROM kept") == 0
    assert stack.left_over() == []

"""Redis found through Sentinels, and found again after its server died: bus, queue and doorbell."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.server_binaries import find_servers
from shared.adapters.queue.celery_app import celery_app
from shared.adapters.queue.celery_client import queue_is_empty
from shared.adapters.queue.redis_bus import RedisBus, check, client
from shared.domain.errors import Transient
from shared.settings import RedisSettings, Settings
from tests.support.cluster import Server, free_port
from tests.support.paper_stack import settings_over

MASTER = "bluegreen-test"
SECRET = "secret-of-redis"
FAILOVER_LIMIT_S = 60
NOWHERE = Server(15, Path("/nowhere"), 1, {"cluster_name": "nowhere"})
"""No PostgreSQL server is asked here."""


@dataclass
class Group:
    settings: Settings
    master: subprocess.Popen[bytes]


def server(place: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    program = str(find_servers(server_account()).redis)
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(place),
             "--save", "", "--requirepass", SECRET, "--masterauth", SECRET, *options]  # fmt: skip
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)


def sentinel(place: Path, port: int, master_port: int) -> subprocess.Popen[bytes]:
    conf = place / "sentinel.conf"
    conf.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {place}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master_port} 1\n"
        f"sentinel auth-pass {MASTER} {SECRET}\n"
        f"sentinel down-after-milliseconds {MASTER} 1000\n"
        f"sentinel failover-timeout {MASTER} 5000\n",
        encoding="utf-8",
    )
    program = str(find_servers(server_account()).redis)
    return subprocess.Popen([program, str(conf), "--sentinel"], stdout=subprocess.DEVNULL)


def until(holds: object, what: str, limit_s: float = FAILOVER_LIMIT_S) -> None:
    assert callable(holds)
    deadline = time.monotonic() + limit_s
    while True:
        with suppress(redis.RedisError, Transient, OSError):
            if holds():
                return
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """A server, its replica and one Sentinel."""
    first, second, watcher = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        master = server(tmp_path, first)
        replica = server(tmp_path, second, "--replicaof", "127.0.0.1", str(first))
        for process in (master, replica):
            stack.callback(process.wait, 10)
            stack.callback(process.kill)
        asked = redis.Redis(port=first, password=SECRET)
        stack.callback(asked.close)
        until(lambda: asked.info("replication")["connected_slaves"] == 1, "no replica")
        watching = sentinel(tmp_path, watcher, first)
        stack.callback(watching.wait, 10)
        stack.callback(watching.kill)
        looks = redis.Redis(port=watcher, decode_responses=True)
        stack.callback(looks.close)
        until(lambda: int(looks.sentinel_master(MASTER)["num-slaves"]) == 1, "no replica is seen")
        (tmp_path / "redis").write_text(SECRET, encoding="utf-8")
        settings = settings_over(tmp_path, NOWHERE, NOWHERE).model_copy(update={
            "secrets_dir": tmp_path,
            "redis": RedisSettings(host="nowhere.invalid", port=1, master=MASTER,
                                   sentinels=(f"127.0.0.1:{watcher}",)),
        })  # fmt: skip
        yield Group(settings, master)


def sends_and_takes(settings: Settings, nonce: str) -> bool:
    """A command goes through the queue as agents' commands do."""
    with celery_app(settings) as app:
        app.send_task("validator.ping", queue="validator", task_id=nonce, kwargs={"nonce": nonce})
        assert not queue_is_empty(settings, "validator")
        with app.connection_for_read() as connection:
            message = connection.default_channel.basic_get("validator", no_ack=True)
    return message is not None and message.headers["id"] == nonce


def test_a_server_that_dies_is_replaced_and_nobody_is_told(group: Group) -> None:
    settings = group.settings
    check(settings)
    bus = RedisBus(settings)
    assert bus.newest() == "0-0"
    assert sends_and_takes(settings, "before")
    group.master.send_signal(signal.SIGKILL)
    group.master.wait(10)
    with pytest.raises(Transient):
        check(settings)
    until(lambda: check(settings) is None, "no other server became Redis")
    until(lambda: bus.newest() == "0-0", "the bus did not find the new server")
    until(lambda: sends_and_takes(settings, "after"), "the queue did not find the new server")
    with client(settings) as found:
        assert found.info("replication")["role"] == "master"
    bus.close()

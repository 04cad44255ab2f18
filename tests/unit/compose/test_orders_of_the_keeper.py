"""The keeper's orders: what passes is what the replicator gives, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.adapters.keeper.load import load_of
from shared.adapters.keeper.orders import (
    FENCING,
    ORDERS,
    READ_ON,
    CommitsAfter,
    End,
    SetRecovery,
    StartDeed,
    Stop,
)
from shared.adapters.keeper.server_container import ServerPlaces
from workers.replicator import fork, replay

CONNINFO = (
    "host=postgres-blue port=5432 user=bg_repl_blue passfile=/etc/bluegreen/secrets/passfile/x"
    " sslmode=verify-full sslrootcert=/etc/bluegreen/tls/ca.crt"
)
DEED: dict[str, Any] = {"order": "start_deed", "colour": "green", "name": "rewind-20261126-7b21"}
RECOVERY: dict[str, Any] = {"order": "set_recovery", "colour": "green", "standby": True}


def test_what_the_replicator_gives_is_heard() -> None:
    rewind = {**DEED, "program": "pg_rewind", "args": ["--source-server", CONNINFO, "--progress"]}
    assert isinstance(ORDERS.validate_python(rewind), StartDeed)
    copy = ["--dbname", CONNINFO, "--slot", "bluegreen_standby_green", "--wal-method", "stream",
            "--checkpoint", "spread", "--progress"]  # fmt: skip
    ORDERS.validate_python({**DEED, "program": "pg_basebackup", "args": copy})
    follow = {"primary_conninfo": CONNINFO, "primary_slot_name": "bluegreen_standby_green"}
    for more in ({}, fork.recovery_target("0/3EDE750"), replay.DELAY):
        found = ORDERS.validate_python({**RECOVERY, "settings": follow | more})
        assert isinstance(found, SetRecovery)


def test_a_takeover_is_heard_in_its_one_restore_command_and_its_own_orders() -> None:
    settings = {"primary_conninfo": CONNINFO, "restore_command": READ_ON}
    ORDERS.validate_python({**RECOVERY, "settings": settings})
    places = ServerPlaces()
    assert f"{places.other / places.data.name}/pg_wal/" in READ_ON
    end = ORDERS.validate_python({"order": "end", "colour": "blue", "limit_s": 8})
    read = ORDERS.validate_python({"order": "commits_after", "colour": "blue", "lsn": "0/3EDE750"})
    assert isinstance(end, End)
    assert isinstance(read, CommitsAfter)
    assert isinstance(read, FENCING)
    assert not {Stop, StartDeed} & set(FENCING)


def test_what_a_container_takes_is_measured_against_its_own_limit() -> None:
    stats = {
        "memory_stats": {"usage": 900, "limit": 2000, "stats": {"inactive_file": 300}},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}, "online_cpus": 4},
    }
    found = load_of(stats)
    assert found is not None
    assert (found.memory_bytes, found.memory_available_bytes) == (600, 1400)
    assert (found.cpu_seconds, found.cores) == (2.5, 4)
    assert load_of({"memory_stats": {}, "cpu_stats": {}}) is None


@pytest.mark.parametrize(
    "args",
    [
        ["--restore-target-wal"],
        ["-D", "/"],
        ["--dbname", "host=x service=y"],
        ["--dbname", "postgresql://x/y?options=-cfoo"],
        ["$(id)"],
        ["../../etc"],
        ["--target-pgdata", "/"],
    ],
)
def test_other_options_are_not_passed_on(args: list[str]) -> None:
    with pytest.raises(ValidationError):
        ORDERS.validate_python({**DEED, "program": "pg_rewind", "args": args})


@pytest.mark.parametrize(
    "settings",
    [
        {"restore_command": "cp /wal/%f %p"},
        {"restore_command": f"{READ_ON}; id"},
        {"archive_cleanup_command": "rm -rf /"},
        {"recovery_end_command": "id"},
        {"shared_preload_libraries": "x"},
        {"primary_conninfo": "host=x service=y"},
    ],
)
def test_a_setting_that_a_shell_would_run_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ORDERS.validate_python({**RECOVERY, "settings": settings})


@pytest.mark.parametrize(
    "order",
    [
        {"order": "run", "colour": "blue"},
        {"order": "start", "colour": "control", "limit_s": 5},
        {"order": "stop", "colour": "blue", "mode": "smart", "limit_s": 5},
        {"order": "stop", "colour": "blue", "mode": "fast", "limit_s": 1e9},
        {"order": "look", "colour": "blue", "image": "debian"},
        {"order": "commits_after", "colour": "blue", "lsn": "0/1 --path /"},
        {**DEED, "name": "../x", "program": "pg_rewind", "args": []},
        {**DEED, "program": "sh", "args": []},
    ],
)
def test_what_is_no_order_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ORDERS.validate_python(order)

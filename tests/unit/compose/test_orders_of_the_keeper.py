"""The keeper's orders: what passes is what the replicator gives, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.adapters.keeper.orders import ORDERS, SetRecovery, StartDeed
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
        {**DEED, "name": "../x", "program": "pg_rewind", "args": []},
        {**DEED, "program": "sh", "args": []},
    ],
)
def test_what_is_no_order_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ORDERS.validate_python(order)

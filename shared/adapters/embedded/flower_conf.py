"""Flower's configuration: behind a password, read-only, remembering across a restart."""

from __future__ import annotations

from pathlib import Path

from shared.adapters.embedded.description import FLOWER_USER
from shared.adapters.embedded.ports import HOST


def flower_conf(place: Path, port: int, secret: str, *, address: str = HOST) -> str:
    """A file rather than options: a secret does not belong on a command line."""
    settings = {
        "address": address,
        "port": port,
        "basic_auth": [f"{FLOWER_USER}:{secret}"],
        "read_only": True,
        "enable_events": False,  # the workers send theirs anyway; Flower orders nothing
        "persistent": True,
        "db": str(place / "flower.db"),
        "state_save_interval": 5000,
        "max_tasks": 20_000,
        "tasks_columns": "name,state,args,result,received,started,runtime,worker",
        "purge_offline_workers": 3600,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in settings.items())

"""Find Redis, PgBouncer and nginx: the host's where good enough, else unpacked privately."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.embedded.accounts import Account, can_reach
from shared.adapters.embedded.packages import unpacked

REDIS_AT_LEAST = (6, 2)
PGBOUNCER_AT_LEAST = (1, 21)
"""The first to tell prepared statements of clients apart in transaction pooling."""
SYSTEM_PATH = f"{os.defpath}:/usr/sbin:/usr/local/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class ServerBinaries:
    redis: Path
    pgbouncer: Path
    nginx: Path
    nginx_stream: Path | None
    """The module to load; None when nginx has it built in."""


def find_servers(owner: Account | None) -> ServerBinaries:
    """Raises Refused when one is missing here and cannot be unpacked, Transient to try again."""
    nginx, module = _host_nginx(owner) or _unpacked_nginx(owner)
    return ServerBinaries(_redis(owner), _pgbouncer(owner), nginx, module)


def _redis(owner: Account | None) -> Path:
    found = _on_host("redis-server", owner)
    if found and _version(found, "--version", r"v=([\d.]+)") >= REDIS_AT_LEAST:
        return found
    root = unpacked("redis", ("redis-server", "redis-tools"), owner=owner, at_least=REDIS_AT_LEAST)
    return root / "usr/bin/redis-server"


def _pgbouncer(owner: Account | None) -> Path:
    found = _on_host("pgbouncer", owner)
    if found and _version(found, "--version", r"PgBouncer ([\d.]+)") >= PGBOUNCER_AT_LEAST:
        return found
    root = unpacked("pgbouncer", ("pgbouncer",), owner=owner, at_least=PGBOUNCER_AT_LEAST)
    return root / "usr/sbin/pgbouncer"


def _host_nginx(owner: Account | None) -> tuple[Path, Path | None] | None:
    found = _on_host("nginx", owner)
    if found is None:
        return None
    built = _output(found, "-V")
    if re.search(r"--with-stream(\s|$)", built):
        return found, None
    modules = re.search(r"--modules-path=(\S+)", built)
    module = Path(modules[1] if modules else "/usr/lib/nginx/modules") / "ngx_stream_module.so"
    return (found, module) if module.exists() else None


def _unpacked_nginx(owner: Account | None) -> tuple[Path, Path]:
    root = unpacked("nginx", ("nginx", "libnginx-mod-stream"), owner=owner)
    return root / "usr/sbin/nginx", root / "usr/lib/nginx/modules/ngx_stream_module.so"


def _on_host(program: str, owner: Account | None) -> Path | None:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    return Path(found) if found and can_reach(Path(found), owner) else None


def _version(program: Path, argument: str, pattern: str) -> tuple[int, ...]:
    found = re.search(pattern, _output(program, argument))
    return tuple(int(number) for number in found[1].strip(".").split(".")) if found else ()


def _output(program: Path, argument: str) -> str:
    ended = subprocess.run(
        [program, argument], capture_output=True, text=True, check=False, timeout=30
    )
    return ended.stdout + ended.stderr

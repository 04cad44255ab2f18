"""What a server's container takes of its host, from the engine's statistics. Pure.

Source: Docker Engine API, "Get container stats"; memory without the page cache that can be given
back, as `docker stats` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.keeper.orders import Load


def load_of(stats: Mapping[str, Any]) -> Load | None:
    """None where a field is missing: cgroup versions differ, and in some places there are none."""
    memory, cpu = stats.get("memory_stats", {}), stats.get("cpu_stats", {})
    try:
        own = memory["usage"] - memory.get("stats", {}).get("inactive_file", 0)
        limit = memory["limit"]
        used_ns = cpu["cpu_usage"]["total_usage"]
    except KeyError:
        return None
    return Load(
        cpu_seconds=used_ns / 1e9,
        cores=cpu.get("online_cpus") or 1,
        memory_bytes=own,
        memory_available_bytes=max(0, limit - own),
        memory_total_bytes=limit,
    )

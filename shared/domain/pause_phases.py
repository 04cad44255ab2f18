"""The phases of a pause, in the order in which they come. Pure."""

from __future__ import annotations

from collections.abc import Mapping

PHASES = (
    "pause", "hold_door", "fence", "empty", "marker", "catch_up", "prepare_new", "prepare_old",
    "commit", "consent", "route", "door", "resume",
)  # fmt: skip
"""`prepare_old` runs on the other server, beside `catch_up` and `prepare_new`."""


def in_order(phases_ms: Mapping[str, float]) -> dict[str, float]:
    """As they came: a JSON object does not keep the order of its keys. What is unknown is last."""
    known = {name: phases_ms[name] for name in PHASES if name in phases_ms}
    return known | {name: ms for name, ms in phases_ms.items() if name not in known}

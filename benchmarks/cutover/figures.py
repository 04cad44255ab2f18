"""What the clients' transactions say of each switch. Pure.

`longestMs`     the slowest transaction that was under way between PAUSE and a second after RESUME
`silenceMs`     the longest time around a switch in which no transaction succeeded: what fails at
                once waits for nothing, and is no better for it
`failed`        transactions that failed around a switch
`lateWrites`    acknowledged by the old side though begun after the new one had acknowledged one
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from benchmarks.bench import quantile
from benchmarks.cutover.arena import Clients
from benchmarks.cutover.designs import Turn

AFTER_S = 1.0


def figures(load: Clients, turns: Sequence[Turn], sides: Sequence[str]) -> dict[str, Any]:
    """`sides`: the servers' names; the first turn leads from the first to the second."""
    longest, silences, failed, late = [], [], [], 0
    for number, turn in enumerate(turns):
        until = turns[number + 1].began if number + 1 < len(turns) else float("inf")
        over = min(turn.ended + AFTER_S, until)
        around = [
            each for each in load.told
            if each[0] + each[1] / 1000 >= turn.paused and each[0] <= over
        ]  # fmt: skip
        longest.append(max(each[1] for each in around))
        silences.append(_silence_ms(load, turn.paused - AFTER_S, over))
        failed.append(sum(each[4] is None for each in around))
        late += _late_writes(load, turn.began, until, old=sides[number % 2])
    return {
        "longestMs": spread(longest),
        "silenceMs": spread(silences),
        "windowMs": spread([(turn.ended - turn.paused) * 1000 for turn in turns]),
        "phasesMs": _phases(turns),
        "failedEach": spread([float(count) for count in failed]),
        "lateWrites": late,
        "gaveUp": sum(turn.gave_up for turn in turns),
        "baselineMs": spread(_calm(load, turns)),
        "longest": [round(ms, 1) for ms in longest],
    }


def _late_writes(load: Clients, since: float, until: float, *, old: str) -> int:
    here = [each for each in load.told if each[4] is not None and since < each[0] <= until]
    first = min((each[0] + each[1] / 1000 for each in here if each[4] != old), default=until)
    return sum(each[4] == old and each[0] > first for each in here)


def spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(quantile(ordered, 0.5), 1),
        "p95": round(quantile(ordered, 0.95), 1),
        "p99": round(quantile(ordered, 0.99), 1),
        "max": round(ordered[-1], 1),
    }


def _calm(load: Clients, turns: Sequence[Turn]) -> list[float]:
    """Latencies of transactions far from any switch."""
    return [
        ms
        for began, ms, *_ in load.told
        if not any(t.began <= began + ms / 1000 and began <= t.ended + AFTER_S for t in turns)
    ]


def _silence_ms(load: Clients, since: float, until: float) -> float:
    ends = sorted(
        began + ms / 1000
        for began, ms, _, _, server in load.told
        if server is not None and since <= began + ms / 1000 <= until + AFTER_S
    )
    return max((after - before) * 1000 for before, after in pairwise(ends))


def _phases(turns: Sequence[Turn]) -> dict[str, dict[str, float]]:
    names = list(dict.fromkeys(name for turn in turns for name in turn.phases_ms))
    return {name: spread([turn.phases_ms[name] for turn in turns]) for name in names}

"""A picture of one switch in a terminal or a code block: the slowest probe of each moment. Pure."""

from __future__ import annotations

from producer.reports.switch_phases import after_window_ms, phases_of
from shared.ports import SwitchRecord

COLUMNS, ROWS = 72, 8
EIGHTHS = " ▁▂▃▄▅▆▇█"
FAILED = "✗"


def text_picture(switch: SwitchRecord) -> list[str]:
    """Lines of at most 90 characters. Law: `switch.samples` is not empty."""
    end = after_window_ms(switch)
    margin = max(5.0, 0.35 * end)
    begin, width = -margin, (end + 2 * margin) / COLUMNS
    slowest, failed = [0.0] * COLUMNS, [False] * COLUMNS
    for at_ms, latency_ms, acknowledged in switch.samples:
        column = int((at_ms - begin) / width)
        if 0 <= column < COLUMNS and at_ms >= begin:
            slowest[column] = max(slowest[column], latency_ms)
            failed[column] |= not acknowledged
    top = max([1.0, *slowest])
    lines = [_row(row, slowest, failed, top) for row in range(ROWS, 0, -1)]
    return [*lines, *_axis(switch, begin, width), *_legend(switch)]


def _row(row: int, slowest: list[float], failed: list[bool], top: float) -> str:
    label = f"{top * row / ROWS:7.1f} ms |" if row in (ROWS, ROWS // 2) else " " * 11 + "|"
    cells = []
    for latency, has_failed in zip(slowest, failed, strict=True):
        filled = latency / top * ROWS - (row - 1)
        eighths = max(0, min(8, round(filled * 8)))
        if row == 1 and latency:
            eighths = max(1, eighths)
        cells.append(FAILED if has_failed and row == 1 else EIGHTHS[eighths])
    return label + "".join(cells).rstrip()


def _axis(switch: SwitchRecord, begin: float, width: float) -> list[str]:
    """PAUSE and RESUME under the moments at which they were."""
    first = max(0, min(COLUMNS - 1, int(-begin / width)))
    last = max(first + 1, min(COLUMNS - 1, int((switch.window_ms - begin) / width)))
    line = "-" * first + "P" + "=" * (last - first - 1) + "R" + "-" * (COLUMNS - last - 1)
    scale = f"{begin:+.0f} ms".ljust(COLUMNS - 10) + f"{begin + width * COLUMNS:+.0f} ms".rjust(10)
    return [" " * 11 + "+" + line, " " * 12 + scale]


def _legend(switch: SwitchRecord) -> list[str]:
    """P to R is the window; its phases in their order, a bar each."""
    phases = phases_of(switch)
    if not phases:
        return []
    longest = max(phase.ms for phase in phases) or 1.0
    lines = [f"  P PAUSE, R RESUME: {switch.window_ms:.1f} ms"]
    for phase in phases:
        bar = "█" * round(24 * phase.ms / longest)
        lines.append(f"  {phase.name:<12} {phase.begin_ms:7.1f} ms  {phase.ms:7.1f} ms  {bar}")
    return [line.rstrip() for line in lines]

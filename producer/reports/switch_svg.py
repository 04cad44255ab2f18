"""Pictures of one switch as SVG: all of it, and the pause with its phases. Pure.

Each dot is a probe: when it began, how long it took, whether it was acknowledged. The band is the
window, from PAUSE to RESUME; in the second picture it is divided into the phases.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from producer.reports.switch_phases import COMMIT, Phase, after_window_ms, phases_of
from shared.ports import SwitchRecord

WIDTH, HEIGHT = 860, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 28, 12, 34
NAMES_TOP = 112
"""Room above the second picture for the names of the phases."""
NAME_GAP = 13.0
"""Pixels between two names, so that those of short phases do not lie upon each other."""
STYLE = """
svg { width: 100%; height: auto; background: #fbfcfd; border: 1px solid #d8dee4 }
text { font: 11px system-ui, sans-serif; fill: #57606a }
.grid { stroke: #e3e7eb } .window { fill: #ffe8b3 } .ok { fill: #2f6fb5 } .failed { fill: #c62828 }
.phase0 { fill: #ffe8b3 } .phase1 { fill: #ffd37a } .edge { stroke: #b7791f; stroke-width: .6 }
.commit { fill: #9fd8a4 } .held { stroke: #2f6fb5; stroke-width: .7; opacity: .55 }
"""


def overview(switch: SwitchRecord) -> str:
    """All probes around the switch. Law: `switch.samples` is not empty."""
    begin, end = switch.samples[0][0], switch.samples[-1][0]
    scale = _Scale(begin, max(end, begin + 1.0), _top_ms(switch, begin, end), TOP)
    left, right = scale.x(0.0), scale.x(switch.window_ms)
    band = (
        f'<rect class="window" x="{left}" y="{TOP}" width="{max(1.0, round(right - left, 1))}" '
        f'height="{HEIGHT - TOP - BOTTOM}"><title>window {switch.window_ms:.1f} ms</title></rect>'
    )
    label = f"Latency of each probe around the switch {switch.direction}"
    return _svg(label, [band, *_grid(scale, 1000.0, "s"), *_dots(switch, scale)])


def close_up(switch: SwitchRecord) -> str:
    """The pause and what it held: each line is one transaction, from its begin to its answer."""
    end = after_window_ms(switch)
    margin = max(5.0, 0.35 * end)
    scale = _Scale(-margin, end + margin, _top_ms(switch, -margin, end + margin), NAMES_TOP)
    label = f"The pause of the switch {switch.direction} and its phases"
    parts = [*_phases(phases_of(switch), scale), *_grid(scale, 1.0, "ms")]
    parts += [*_lines(switch, scale), *_dots(switch, scale)]
    return _svg(label, parts)


def _svg(label: str, parts: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">\n'
        + "\n".join(parts)
        + "\n</svg>"
    )


class _Scale:
    def __init__(self, begin_ms: float, end_ms: float, top_ms: float, top: int) -> None:
        self.begin_ms, self.end_ms, self.top_ms, self.top = begin_ms, end_ms, top_ms, top

    def x(self, at_ms: float) -> float:
        part = (at_ms - self.begin_ms) / (self.end_ms - self.begin_ms)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, latency_ms: float) -> float:
        part = latency_ms / self.top_ms
        return round(HEIGHT - BOTTOM - part * (HEIGHT - self.top - BOTTOM), 1)

    def shows(self, at_ms: float) -> bool:
        return self.begin_ms <= at_ms <= self.end_ms


def _phases(phases: list[Phase], scale: _Scale) -> Iterator[str]:
    name_x = 0.0
    for number, phase in enumerate(phases):
        left, right = scale.x(phase.begin_ms), scale.x(phase.end_ms)
        kind = "commit" if phase.name == COMMIT else f"phase{number % 2}"
        yield (
            f'<rect class="{kind}" x="{left}" y="{scale.top}" '
            f'width="{round(max(0.4, right - left), 1)}" height="{HEIGHT - scale.top - BOTTOM}">'
            f"<title>{escape(phase.name)} {phase.ms:.1f} ms</title></rect>"
        )
        name_x = round(max(name_x + NAME_GAP, (left + right) / 2), 1)
        middle = round((left + right) / 2, 1)
        top = scale.top
        yield f'<line class="edge" x1="{middle}" x2="{name_x}" y1="{top}" y2="{top - 8}"/>'
        yield (
            f'<text transform="translate({name_x + 3},{top - 10}) rotate(-60)">'
            f"{escape(phase.name)} {phase.ms:.1f}</text>"
        )


def _grid(scale: _Scale, unit: float, name: str) -> Iterator[str]:
    for quarter in range(5):
        latency = scale.top_ms * quarter / 4
        y = scale.y(latency)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{latency:g} ms</text>'
    for fifth in range(6):
        at_ms = scale.begin_ms + (scale.end_ms - scale.begin_ms) * fifth / 5
        anchor = "middle" if fifth < 5 else "end"  # the last would be cut off at the edge
        yield (
            f'<text x="{scale.x(at_ms)}" y="{HEIGHT - 12}" text-anchor="{anchor}">'
            f"{at_ms / unit + 0.0:+.1f} {name}</text>"
        )


def _dots(switch: SwitchRecord, scale: _Scale) -> Iterator[str]:
    for at_ms, latency_ms, acknowledged in switch.samples:
        if scale.shows(at_ms):
            kind = "ok" if acknowledged else "failed"
            yield f'<circle class="{kind}" cx="{scale.x(at_ms)}" cy="{scale.y(latency_ms)}" r="2"/>'


def _lines(switch: SwitchRecord, scale: _Scale) -> Iterator[str]:
    for at_ms, latency_ms, _ in switch.samples:
        if scale.shows(at_ms) and scale.shows(at_ms + latency_ms):
            y = scale.y(latency_ms)
            yield (
                f'<line class="held" x1="{scale.x(at_ms)}" x2="{scale.x(at_ms + latency_ms)}" '
                f'y1="{y}" y2="{y}"/>'
            )


def _top_ms(switch: SwitchRecord, begin_ms: float, end_ms: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... above what is shown: a scale whose quarters read well."""
    highest = max((ms for at, ms, _ in switch.samples if begin_ms <= at <= end_ms), default=1.0)
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if highest <= step * factor:
                return step * factor
        step *= 10

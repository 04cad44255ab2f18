"""The report of a job as one HTML file, with a picture of each switch: no script, no network. Pure.

The picture shows every probe around the pause: when it began, how long it took, whether it was
acknowledged. The band is the window, from PAUSE to RESUME.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from producer.report_markdown import markdown
from shared.ports import SwitchRecord

WIDTH, HEIGHT = 860, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 34

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; color: #1c2733 }
pre { white-space: pre-wrap; background: #f4f6f8; padding: 1em; border-radius: 6px }
svg { width: 100%; height: auto; background: #fbfcfd; border: 1px solid #d8dee4 }
text { font: 11px system-ui, sans-serif; fill: #57606a }
.grid { stroke: #e3e7eb } .window { fill: #ffe8b3 } .ok { fill: #2f6fb5 } .failed { fill: #c62828 }
"""


def page(body: Mapping[str, Any], switches: Sequence[SwitchRecord]) -> str:
    """A whole HTML document: the pictures, then the report's own words."""
    title = f"{body['file']}: {(body['outcome'] or 'still running').replace('_', ' ')}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
    ]
    for switch in switches:
        parts.append(f"<h2>Switch {escape(switch.direction)}</h2>")
        parts.append(picture(switch) if switch.samples else "<p>No probe was running.</p>")
    parts += [f"<h2>Report</h2><pre>{escape(markdown(body))}</pre>", "</body></html>"]
    return "\n".join(parts) + "\n"


def picture(switch: SwitchRecord) -> str:
    """An SVG of the probes' latencies over time, in milliseconds both ways.

    Law: `switch.samples` is not empty.
    """
    begin, end = switch.samples[0][0], switch.samples[-1][0]
    top_ms = _round_up(max(latency for _, latency, _ in switch.samples))
    scale = _Scale(begin, max(end, begin + 1.0), top_ms)
    label = f"Latency of each probe around the switch {switch.direction}"
    body = [*_window(switch, scale), *_grid(scale), *_dots(switch, scale)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">\n'
        + "\n".join(body)
        + "\n</svg>"
    )


class _Scale:
    def __init__(self, begin_ms: float, end_ms: float, top_ms: float) -> None:
        self.begin_ms, self.end_ms, self.top_ms = begin_ms, end_ms, top_ms

    def x(self, at_ms: float) -> float:
        part = (at_ms - self.begin_ms) / (self.end_ms - self.begin_ms)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, latency_ms: float) -> float:
        return round(HEIGHT - BOTTOM - latency_ms / self.top_ms * (HEIGHT - TOP - BOTTOM), 1)


def _window(switch: SwitchRecord, scale: _Scale) -> Iterator[str]:
    left, right = scale.x(0.0), scale.x(switch.window_ms)
    yield (
        f'<rect class="window" x="{left}" y="{TOP}" width="{max(1.0, round(right - left, 1))}" '
        f'height="{HEIGHT - TOP - BOTTOM}"><title>window {switch.window_ms:.1f} ms</title></rect>'
    )


def _grid(scale: _Scale) -> Iterator[str]:
    for quarter in range(5):
        latency = scale.top_ms * quarter / 4
        y = scale.y(latency)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{latency:g} ms</text>'
    for fifth in range(6):
        at_ms = scale.begin_ms + (scale.end_ms - scale.begin_ms) * fifth / 5
        yield (
            f'<text x="{scale.x(at_ms)}" y="{HEIGHT - 12}" text-anchor="middle">'
            f"{at_ms / 1000:+.1f} s</text>"
        )


def _dots(switch: SwitchRecord, scale: _Scale) -> Iterator[str]:
    for at_ms, latency_ms, acknowledged in switch.samples:
        kind = "ok" if acknowledged else "failed"
        yield f'<circle class="{kind}" cx="{scale.x(at_ms)}" cy="{scale.y(latency_ms)}" r="2"/>'


def _round_up(ms: float) -> float:
    """The next of 1, 2, 5, 10, 20, ...: a scale whose quarters read well."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if ms <= step * factor:
                return step * factor
        step *= 10

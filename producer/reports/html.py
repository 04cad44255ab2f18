"""The report of a job as one HTML file, with pictures of each switch: no script. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from producer.reports.markdown import markdown
from producer.reports.switch_svg import STYLE, close_up, overview
from shared.ports import SwitchRecord

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; color: #1c2733 }
pre { white-space: pre-wrap; background: #f4f6f8; padding: 1em; border-radius: 6px }
"""


def page(body: Mapping[str, Any], switches: Sequence[SwitchRecord]) -> str:
    """A whole HTML document: the pictures, then the report's own words."""
    title = f"{body['file']}: {(body['outcome'] or 'still running').replace('_', ' ')}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
    ]
    for switch in switches:
        parts.append(f"<h2>Switch {escape(switch.direction)}</h2>")
        parts += _pictures(switch)
    parts += [f"<h2>Report</h2><pre>{escape(markdown(body))}</pre>", "</body></html>"]
    return "\n".join(parts) + "\n"


def _pictures(switch: SwitchRecord) -> list[str]:
    if not switch.samples:
        return ["<p>No probe was running.</p>"]
    longest = "" if switch.longest_ms is None else f", longest wait {switch.longest_ms:.1f} ms"
    return [
        f"<p>From PAUSE to RESUME {switch.window_ms:.1f} ms{longest}. Every dot is a transaction "
        "of the probe, at its begin; below, a line leads from its begin to its answer.</p>",
        overview(switch),
        close_up(switch),
    ]

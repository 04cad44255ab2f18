"""All designs in one picture: the longest wait of each switch, on a logarithmic scale.

Needs matplotlib (`uv sync --group bench`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

SATURATED = 4000.0
"""A rate that is asked for and not reached: each client begins again at once."""
COLOURS = ("#2f6fb5", "#5ba3d9", "#c62828", "#e08e0b", "#6a4c93")


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rates = sorted({row["rate"] for row in rows})
    names = list(dict.fromkeys(row["design"] for row in rows))
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.5), gridspec_kw={"width_ratios": [3, 1.4]})
    waits, failures = axes
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        colour = COLOURS[place % len(COLOURS)]
        for group, rate in enumerate(rates):
            row = next((r for r in rows if (r["design"], r["rate"]) == (name, rate)), None)
            if row is None:
                continue
            x = group + (place - (len(names) - 1) / 2) * width
            label = name if group == 0 else None
            waits.scatter([x] * len(row["longest"]), row["longest"], s=9, color=colour, alpha=0.45)
            waits.plot([x - width / 3, x + width / 3], [row["longestMs"]["median"]] * 2,
                       color=colour, linewidth=2.5, label=label)  # fmt: skip
            waits.plot([x - width / 3, x + width / 3], [row["silenceMs"]["median"]] * 2,
                       color=colour, linewidth=1.2, linestyle=":")  # fmt: skip
            failures.bar(x, row["account"]["failed"], width * 0.9, color=colour)
    ticks = ["saturated" if rate == SATURATED else f"{rate:g} tx/s" for rate in rates]
    waits.set_yscale("log")
    waits.set_ylabel("ms")
    waits.set_title("Longest wait of each switch (line: median; dotted: no success at all)")
    waits.grid(axis="y", which="both", alpha=0.25)
    waits.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=len(names))
    failures.set_title("Failed transactions, all switches")
    failures.set_yscale("symlog")
    failures.grid(axis="y", alpha=0.25)
    for axis in axes:
        axis.set_xticks(range(len(rates)), ticks)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)

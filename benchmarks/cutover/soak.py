"""Many switches in a row under load; not one transaction may fail, be lost or be doubled.

Usage: python -m benchmarks.cutover.soak [SWITCHES [RATE]]    (1,000 and 400 unless given)

Half of them keep the schema, half change it. The result stands in benchmarks/results/.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.bench import keep
from benchmarks.cutover.__main__ import measure

DESIGNS = ("ours", "ours, schema changes")
SWITCHES, RATE = 1000, 400.0
MUST_BE_0 = ("failed", "lost", "unexpected", "doubled", "wrongly_counted")


def main() -> None:
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else SWITCHES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    rows: list[dict[str, Any]] = [measure(name, rate, switches // 2) for name in DESIGNS]
    keep("cutover_soak", {"unit": "ms", "switches": 2 * (switches // 2), "rows": rows})
    wrong = [
        f"{row['design']}: {name} {row['account'][name]}"
        for row in rows
        for name in MUST_BE_0
        if row["account"][name]
    ]
    wrong += [f"{row['design']}: late writes" for row in rows if row["lateWrites"]]
    if wrong:
        raise SystemExit(f"expected 0 of each, found {'; '.join(wrong)}")


if __name__ == "__main__":
    main()

"""One round of the validator's bench, in a process of its own.

    python -m benchmarks.validate_once FILE

Prints `validate` and `json` as (wall, processor) milliseconds: the report of the file, and the same
with its text as JSON. After start-up: one small statement was validated before, nothing of the file
is in any cache.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from producer.marks import Validated
from producer.validate_output import render
from shared.sql import grammar
from shared.sql.validate import validate


def main(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    validate("ALTER TABLE a ADD COLUMN b timestamptz DEFAULT now()", file="first.sql")
    wall, cpu = time.perf_counter(), time.process_time()
    report = validate(sql, file=path.name)
    validated = _since(wall, cpu)
    text = render("json", [Validated(report, sql, report.as_json())])
    written = _since(wall, cpu)
    wall, cpu = time.perf_counter(), time.process_time()
    grammar.parse(sql.encode())
    parsed = _since(wall, cpu)
    print(json.dumps({"validate": validated, "json": written, "parse": parsed, "size": len(text)}))


def _since(wall: float, cpu: float) -> tuple[float, float]:
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

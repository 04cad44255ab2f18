"""Coverage-guided fuzzing of the validator: `make fuzz-validator SECONDS=60`.

Begins with the files of tests/data over their schemas, damages them, keeps what reaches new code.
Ends at the first exception, and at the first report whose places lie outside the file; what did it
is left in build/fuzz. Atheris is installed for the occasion: nothing else of ours needs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["shared.sql", "shared.mapping"]):
    from shared.mapping.readiness import readiness
    from shared.sql.analysis import build
    from shared.sql.validate import validate

DATA = Path(__file__).parent.parent / "data"
BUILD = Path(__file__).parent.parent.parent / "build" / "fuzz"
ROWS = [
    json.loads(line)
    for line in (DATA / "validator" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
]
UNSEEN = DATA / "unseen"
SETUPS = sorted({row["setup"] for row in ROWS}, key=len)[:8] + [
    path.read_text("utf-8") for path in sorted(UNSEEN.rglob("*.setup.sql"))
]
CATALOGS = [None, *(build(setup, version=18)[0] for setup in SETUPS)]


def answered(data: bytes) -> None:
    """The first byte says which schema and version; the rest is the file."""
    which, text = data[:1], data[1:].decode("utf-8", "replace")
    catalog = CATALOGS[which[0] % len(CATALOGS)] if which else None
    version = 15 + (which[0] // len(CATALOGS)) % 4 if which else 18
    report = validate(text, file="f.sql", server_version=version, catalog=catalog)
    lines = text.count("\n") + 1
    for each in (*report.errors, *report.warnings, *report.operations):
        assert 1 <= each.line <= lines, each
        assert each.column >= 1, each
    json.dumps(report.as_json())
    json.dumps(readiness(text, catalog).as_json())


def seeds() -> Path:
    """The files to begin with, in a directory of their own."""
    folder = BUILD / "seeds"
    folder.mkdir(parents=True, exist_ok=True)
    hostile = [path.read_bytes() for path in sorted((DATA / "hostile").glob("*.sql"))]
    files = [path for path in sorted(UNSEEN.rglob("*.sql")) if ".setup" not in path.name]
    lines = [line for path in files for line in path.read_bytes().splitlines() if b" | " in line]
    unseen = [line.split(b" | ", 1)[1] for line in lines]
    texts = [row["sql"].encode() for row in ROWS] + hostile + unseen
    for number, text in enumerate(texts):
        (folder / str(number)).write_bytes(bytes([number % 251]) + text)
    return folder


if __name__ == "__main__":
    found = BUILD / "found"
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([*sys.argv, f"-artifact_prefix={BUILD}/", str(found), str(seeds())], answered)
    atheris.Fuzz()

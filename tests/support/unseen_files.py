"""Files that were written after the rules and measured on real servers: tests/data/unseen.

Each line is `FLAG | file`: `D` destroys data, `R` breaks clients or changes many rows (neither can
be measured), `.` is neither. Everything else is measured by running the file on a server.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from shared.adapters.trace.file_trace import FileTrace
from shared.adapters.trace.schema import SchemaRoom
from shared.adapters.trace.throwaway import ThrowAway
from shared.domain.errors import MigrationError
from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.catalog import Catalog
from shared.sql.observation import DATA_ERRORS, Observation, SeenStatement
from shared.sql.parse import read
from shared.sql.report import Report
from shared.sql.validate import validate
from tests.support.hazards import Hazards, is_doubted, is_hazardous
from tests.support.trace_rooms import databases, quick_server
from tests.support.validator_cases import DATA, ROLES

FILES = Path(__file__).parent.parent / "data" / "unseen"
SCHEMAS = {
    "shop": "CREATE TABLE customers",
    "accounts": "CREATE SCHEMA app;",
    "billing": "CREATE TABLE invoices",
    "publishing": "CREATE SCHEMA cms;",
    "partitions": "CREATE TABLE events (",
}
"""Schema -> how the setup of the measured cases begins that makes it. A schema of its own that a
set of files has stands beside them, in NAME.setup.sql."""
SETS = {
    "first": FILES,
    "second": FILES / "second",
    "third": FILES / "third",
    "fourth": FILES / "fourth",
    "fifth": FILES / "fifth",
    "sixth": FILES / "sixth",
    "seventh": FILES / "seventh",
    "eighth": FILES / "eighth",
    "ninth": FILES / "ninth",
    "tenth": FILES / "tenth",
    "eleventh": FILES / "eleventh",
    "twelfth": FILES / "twelfth",
    "thirteenth": FILES / "thirteenth",
    "fourteenth": FILES / "fourteenth",
    "fifteenth": FILES / "fifteenth",
    "sixteenth": FILES / "sixteenth",
    "eighteenth": FILES / "eighteenth",
    "seventeenth": FILES / "seventeenth",
}
PAST_A_READER = "sixteenth"
"""The set whose files try to do harm unseen: from the text alone most of them cannot be told."""
RUNS_NOTHING = "SELECT 1 / 0;"
"""Before a text that is sent at once: it is read to its end, and fails before it does anything."""
DIVISION_BY_ZERO = "22012"


@dataclass
class Result:
    """How the report agrees with a server of one version."""

    version: int
    graded: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    hazards: Hazards = field(default_factory=Hazards)
    text_hazards: Hazards = field(default_factory=Hazards)
    text_doubted: Hazards = field(default_factory=Hazards)
    """Hazardous from the text alone, or not known to be safe."""
    called_safe: list[str] = field(default_factory=list)
    """Files that do harm and that the report, with the schema, lets run as safe ones."""
    disagreements: list[str] = field(default_factory=list)


@cache
def setup(schema: str, folder: Path = FILES) -> str:
    own = folder / f"{schema}.setup.sql"
    if own.exists():
        return own.read_text(encoding="utf-8")
    lines = (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    setups = {json.loads(line)["setup"] for line in lines}
    return min((s for s in setups if s.startswith(SCHEMAS[schema])), key=len)


def schemas(folder: Path) -> list[str]:
    """Those that the folder has files for."""
    own = [path.name.removesuffix(".setup.sql") for path in folder.glob("*.setup.sql")]
    return [name for name in (*SCHEMAS, *own) if (folder / f"{name}.sql").exists()]


def files(schema: str, folder: Path = FILES) -> list[tuple[str, str]]:
    """(flag, SQL) of each."""
    lines = (folder / f"{schema}.sql").read_text(encoding="utf-8").splitlines()
    return [(line[0], line[4:]) for line in lines if line]


def measure(version: int, *folders: Path) -> Result:
    result = Result(version)
    with quick_server(version) as server:
        for folder in folders:
            for schema in schemas(folder):
                _measure(result, server, folder, schema)
    return result


def _measure(result: Result, server: ThrowAway, folder: Path, schema: str) -> None:
    room = SchemaRoom(server)
    room.prepare(read("GRANT app_rw, app_ro TO reporting; CREATE TABLE a () TABLESPACE fast_ssd"))
    room.build(setup(schema, folder))
    catalog = build(ROLES + setup(schema, folder), version=result.version)[0]
    catalog.settings["timezone"] = "UTC"
    for (flag, sql), database in zip(files(schema, folder), databases(room), strict=False):
        _grade(result, flag, sql, catalog, _observed(server, database, sql))


def _observed(server: ThrowAway, database: str, sql: str) -> Observation:
    """What could not be read is not run; whether a server cannot read it either is asked of it."""
    reading = read(sql)
    seen = FileTrace(server, database).run(reading.statements)
    if not reading.problems or seen.failed is not None:
        return seen
    try:
        with server.session(database) as session:
            session.script(f"{RUNS_NOTHING} {sql}")
    except MigrationError as error:
        if error.code == DIVISION_BY_ZERO:
            return seen
        place = reading.problems[0].place
        refused = SeenStatement(len(seen.statements), place.line, place.column, sql, 0,
                                error=error.message, sqlstate=error.code)  # fmt: skip
        return replace(seen, statements=(*seen.statements, refused))
    raise AssertionError(f"{RUNS_NOTHING} did not fail before {sql}")


def _grade(result: Result, flag: str, sql: str, catalog: Catalog, seen: Observation) -> None:
    report = validate(sql, file="f", server_version=result.version, catalog=catalog)
    for fact, expected, found in _facts(report, seen):
        result.graded[fact] += 1
        result.agreed[fact] += expected == found
        if expected != found:
            said = [error.message for error in report.errors]
            result.disagreements.append(
                f"{sql}\n    {fact}: server {expected}, said {found} {said}"
            )
    if seen.failed is None:
        text = validate(sql, file="f", server_version=result.version)
        for hazards, said in (
            (result.hazards, is_hazardous(report)),
            (result.text_hazards, is_hazardous(text)),
            (result.text_doubted, is_doubted(text)),
        ):
            _grade_hazards(hazards, flag, said, seen)
        if _is_truly(flag, seen) and report.is_valid and report.migration_type is Kind.SAFE:
            result.called_safe.append(sql)
        if _wrong(flag, report, seen):
            result.disagreements.append(f"{sql}\n    hazardous: said {is_hazardous(report)}")


def _wrong(flag: str, report: Report, seen: Observation) -> bool:
    return is_hazardous(report) != _is_truly(flag, seen) and flag != "R"


def _is_truly(flag: str, seen: Observation) -> bool:
    names = ("rewrites", "blocks_reads_of", "blocks_writes_of")
    return flag == "D" or any(seen.names(name) for name in names)  # type: ignore[arg-type]


def _grade_hazards(hazards: Hazards, flag: str, said: bool, seen: Observation) -> None:
    if _is_truly(flag, seen):
        hazards.hazardous += 1
        hazards.found += said
    elif flag == ".":
        hazards.harmless += 1
        hazards.suspected += said


def _facts(report: Report, seen: Observation) -> Iterator[tuple[str, object, object]]:
    failed = seen.failed
    if failed is not None and failed.sqlstate.startswith(DATA_ERRORS):
        return
    errors = [error for error in report.errors if error.kind != "forbidden"]
    yield (
        "valid",
        failed.error if failed else True,
        (failed.error if failed else not errors) if bool(failed) == bool(errors) else not errors,
    )
    if failed is None and not errors:
        watched = (report.locks.keys() | seen.locks.keys()) - seen.unwatched
        real, said = (
            {name: locks[name] for name in sorted(watched) if name in locks}
            for locks in (seen.locks, report.locks)
        )
        yield "locks", real, said
        yield "rewrites", seen.names("rewrites"), list(report.rewrites_tables)
        yield "blocked reads", seen.names("blocks_reads_of"), list(report.blocks_reads_of)
        yield "blocked writes", seen.names("blocks_writes_of"), list(report.blocks_writes_of)


def main() -> None:
    asked = sys.argv[1:]
    folders = [SETS[word] for word in asked if word in SETS] or [FILES]
    for version in [int(word) for word in asked if word.isdigit()] or [15, 16, 18]:
        result = measure(version, *folders)
        print(f"PostgreSQL {version}:")
        for fact, graded in result.graded.items():
            print(f"  {fact:22} {result.agreed[fact]:4} of {graded:4}"
                  f"  {100 * result.agreed[fact] / graded:5.1f} %")  # fmt: skip
        for title, found in (
            ("schema", result.hazards),
            ("text alone", result.text_hazards),
            ("or doubted", result.text_doubted),
        ):
            print(f"  hazardous, {title:11} {found.found:4} of {found.hazardous:4}"
                  f"  {100 * found.recall:5.1f} %")  # fmt: skip
            print(f"  suspected, {title:11} {found.suspected:4} of {found.harmless:4}"
                  f"  {100 * found.false_alarms:5.1f} %")  # fmt: skip
        print(f"  harmful and called safe {len(result.called_safe):2}")
        for line in result.disagreements:
            print(f"  {line}")


if __name__ == "__main__":
    main()

"""A rollback point (dumped, compressed, encrypted) against `pg_dump` of the same rows to a file.

Both run in turns over one database that is warm in memory, with the same program, role and options.
`verified` is the whole proof of the last point: decrypted, restored, counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pyrage

from benchmarks.bench import keep, stack, summary
from shared.adapters.backup.point_work import dump_data_part, take_schema_part, verify_point
from shared.adapters.dump.dump_source import source_server
from shared.adapters.dump.pg_dump import OUR_SCHEMAS, program
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.settings import Settings, load

ROUNDS = 5
ROWS = 3_000_000
FILL = """
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer bigint NOT NULL, placed_at timestamptz NOT NULL,
    total numeric(12, 2) NOT NULL, state text NOT NULL, note text
);
INSERT INTO orders
SELECT n, n * 7919 % 50021, timestamptz '2026-01-01' + n * interval '13 seconds',
       (n * 31 % 100000) / 100.0, (ARRAY['new', 'paid', 'sent', 'done'])[1 + n % 4],
       CASE WHEN n % 3 = 0
            THEN md5(n::text) || ' ' || repeat('a note of a clerk ', 1 + (n % 5)::int) END
FROM generate_series(1::bigint, %s) AS n;
"""


def main(arguments: Sequence[str]) -> None:
    rows = int(arguments[0]) if arguments else ROWS
    with stack() as (state, doors), tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with psycopg.connect(doors["direct"], autocommit=True) as connection:
            connection.execute(FILL.replace("%s", str(rows)))
            connection.execute("VACUUM (FREEZE, ANALYZE) orders")
        settings = encrypted(load({"BLUEGREEN_STATE_DIR": str(state)}), Path(folder))
        alone: list[float] = []
        ours: list[float] = []
        for number in range(ROUNDS):
            alone.append(plain_dump(settings, Path(folder) / "alone.sql"))
            point = take_schema_part(settings, job(settings, number), "full")
            began = time.monotonic()
            point = dump_data_part(settings, point, [], lambda *_: None)
            ours.append(time.monotonic() - began)
        began = time.monotonic()
        verify_point(settings, point, lambda *_: None)
        verified_s = time.monotonic() - began
    data = point.part("data")
    assert data is not None
    megabytes = data.plain_bytes / 1e6
    ratios = [one / other for one, other in zip(alone, ours, strict=True)]
    keep("backup", {
        "rows": rows, "plainMB": round(megabytes), "storedMB": round(data.stored_bytes / 1e6),
        "unit": "MB/s",
        "pgDumpToAFile": summary([megabytes / each for each in alone]),
        "rollbackPoint": summary([megabytes / each for each in ours]),
        "ratio": summary(ratios), "bound": 0.8,
        "verifiedSeconds": round(verified_s, 1),
    })  # fmt: skip


def encrypted(settings: Settings, folder: Path) -> Settings:
    recipients = tuple(str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
    backup = settings.backup.model_copy(update={"recipients": recipients})
    return settings.model_copy(update={"backup": backup, "backup_dir": folder / "backups"})


def job(settings: Settings, number: int) -> Job:
    return Job(
        id=f"20261123-{number:04x}", database=settings.database, kind=Kind.MAINTENANCE,
        file_name="f.sql", sql="", options=RunOptions(), source=Colour.BLUE, epoch=1, attempt=1,
    )  # fmt: skip


def plain_dump(settings: Settings, path: Path) -> float:
    """Seconds of pg_dump alone, as the same role."""
    server = source_server(settings, Colour.BLUE)
    began = time.monotonic()
    subprocess.run(
        [program("pg_dump", settings, Colour.BLUE), "--data-only", *OUR_SCHEMAS,
         f"--host={server.host}", f"--port={server.port}", f"--username={server.user}",
         f"--dbname={server.database}", f"--file={path}"],
        check=True, env={**os.environ, "PGPASSWORD": server.password},
    )  # fmt: skip
    took = time.monotonic() - began
    path.unlink()
    return took


if __name__ == "__main__":
    main(sys.argv[1:])

"""The WAL of a server that does not run, read by pg_waldump.

Source: PostgreSQL manual, "pg_waldump". It ends with an error where the WAL ends; the recovery of a
standby that reads the same files ends at the very same record. Not told which file to begin with,
it takes the size of segments from whichever file of the directory it meets first (pg_waldump.c,
search_directory), and fails where that is one that the server made ahead: zeros, without a header.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import structlog

from shared.adapters.embedded.accounts import account, process_options
from shared.domain.lsn import Lsn
from shared.ports import Commit

LIMIT_S = 30
_log = structlog.get_logger("wal")
SEGMENT = re.compile(r"([0-9A-F]{8})[0-9A-F]{16}")
THE_END = ("error in WAL record", "could not find a valid record")
COMMIT = re.compile(
    r"lsn: ([0-9A-F]+/[0-9A-F]+), prev [^\n]* desc: COMMIT(?:_PREPARED)?"
    r"[^\n]*?(\d{4}-\d\d-\d\d \d\d:\d\d:\S+ \w+)"
)


def commits_after(
    data_dir: Path, bin_dir: Path, run_as: str | None, lsn: str
) -> Sequence[Commit] | None:
    """None when the WAL cannot be read from there on."""
    wal = data_dir / "pg_wal"
    try:
        segments = [path.name for path in wal.iterdir() if SEGMENT.fullmatch(path.name)]
    except OSError:
        return None
    if not segments:
        return None
    timeline = max(int(name[:8], 16) for name in segments)
    begin, size = Lsn.parse(lsn), max((wal / name).stat().st_size for name in segments)
    start = begin.value // size * size
    first = f"{timeline:08X}{start >> 32:08X}{(start & 0xFFFFFFFF) // size:08X}"
    if first not in segments:
        return None
    last = max(name for name in segments if name.startswith(first[:8]))
    try:
        ended = subprocess.run(  # type: ignore[call-overload]
            [
                str(bin_dir / "pg_waldump"), "--path", str(wal), "--timeline", str(timeline),
                "--rmgr", "Transaction", "--start", str(Lsn(start)), first, last,
            ],
            capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            **process_options(account(run_as) if run_as else None),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("wal.not_read", directory=str(wal), reason=str(error))
        return None
    found = [Commit(match[1], match[2]) for match in COMMIT.finditer(ended.stdout)]
    ends_as_wal_does = any(words in ended.stderr for words in THE_END)
    if not ends_as_wal_does or len(found) != ended.stdout.count("desc: COMMIT"):
        # Said in words that we do not know: better nothing than less than there is.
        _log.warning("wal.not_read", directory=str(wal), reason=ended.stderr.strip()[-300:])
        return None
    return [commit for commit in found if Lsn.parse(commit.lsn) >= begin]

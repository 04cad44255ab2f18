"""How much room is left where a file is to be written."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_bytes(directory: Path) -> int | None:
    """Of that directory's file system; None where it is not seen from here."""
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None

"""What the doctor sees without asking a server: secrets, rollback points' room, alert URLs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from shared.domain.errors import Refused
from shared.settings import Settings

FREE_DISK_LIMIT_BYTES = 1 << 30
"""Below this a rollback point of any size is in doubt."""


def secrets(settings: Settings, here: Path) -> str:
    """`here` is the settings' own file: that of a moved stack lies elsewhere than it says."""
    place = settings.secrets_dir
    try:
        files = [path for path in place.iterdir() if path.is_file()]
        open_ones = [path.name for path in files if path.stat().st_mode & 0o077]
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        moved = not settings.state_dir.exists() and here.parent != settings.state_dir
        raise Refused(
            f"expected a directory of secrets in {place}, found: {found}",
            remedy=f"the stack was made in {settings.state_dir}: move {here.parent} back there"
            if moved
            else "put the directory back, or give it to the user that asks here",
        ) from error
    if open_ones:
        raise Refused(
            f"expected secrets that only their owner reads, found {', '.join(open_ones)} open",
            remedy=f"chmod 600 {settings.secrets_dir}/*",
        )
    return f"in {settings.secrets_dir}, closed to others"


def sinks(settings: Settings) -> str:
    """Only whether they are known: nobody is told anything."""
    from shared.adapters.health.alerts import refused_urls  # a second of imports

    urls = settings.alerts.urls
    if refused := refused_urls(urls):
        numbers = ", ".join(map(str, refused))
        raise Refused(
            f"expected URLs of Apprise in alerts.urls, found another text as number {numbers} of "
            f"{len(urls)}: nobody is told there",
            remedy="mend it, such as json://host/path; the health-monitor reads it when it starts",
        )
    return f"{len(urls)} are known to Apprise"


def backup_directory(settings: Settings) -> str:
    place = settings.backup_dir
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise Refused(
            f"expected a directory {place} that can be written, found none",
            remedy="make it, or give it to the backup agent's user",
        )
    free_bytes = shutil.disk_usage(place).free
    if free_bytes < FREE_DISK_LIMIT_BYTES:
        raise Refused(
            f"expected 1 GB free in {place}, found {free_bytes / 1e9:.2f} GB",
            remedy="`bluegreen backups prune` deletes old rollback points",
        )
    return f"{place}, {free_bytes / 1e9:.0f} GB free"

"""Who sits at the command line."""

from __future__ import annotations

import getpass
import os
import socket


def person() -> str:
    """Who asks, for the history and the audit: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"

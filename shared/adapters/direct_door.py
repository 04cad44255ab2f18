"""The way to `doors/direct_door.py` for files that are being written elsewhere."""

from shared.adapters.doors.direct_door import SymlinkDoor

__all__ = ["SymlinkDoor"]

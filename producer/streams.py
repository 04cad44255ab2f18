"""Standard output and error that outlive whoever reads them.

A command that follows a job, or is in the middle of a deed, must not end because `head` has read
enough or the log's disk is full: its exit code would then say something about the reader, and be
taken for the job's. So what cannot be written is dropped, and everything else goes on.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FIRST_THREE = (0, 1, 2)


class Outliving(io.FileIO):
    """A file that takes everything; `lost` is why it no longer writes, None while it does."""

    lost: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        if self.lost is None:
            try:
                return super().write(data)
            except OSError as error:
                self.lost = error
        return memoryview(data).nbytes


def outlive_readers() -> None:
    """Give this process streams that cannot fail; those it was started without lead nowhere.

    A number left free would be given to the next socket or file, and be written into by a child.
    """
    for number in FIRST_THREE:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    sys.stdout = _stream(1, sys.stdout)
    sys.stderr = _stream(2, sys.stderr)


def lost() -> OSError | None:
    """Why standard output takes no more, else None."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.lost if isinstance(raw, Outliving) else None


def _stream(number: int, before: TextIO | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(Outliving(number, "w", closefd=False)),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors=getattr(before, "errors", None) or "backslashreplace",
        line_buffering=number == 2 or os.isatty(number),
    )

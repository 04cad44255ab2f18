"""Read a migration file from disk, or say in one line why it cannot be one."""

from __future__ import annotations

import stat
from pathlib import Path

from shared.domain.errors import Refused

LIMIT_BYTES = 10 * 1024 * 1024


class Unreadable(Refused):
    """The file is there, and what it holds cannot be the text of a migration."""

    def __init__(
        self, path: Path, what: str, *, remedy: str, line: int = 1, column: int = 1
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {what}", remedy=remedy, code="Refused")
        self.what = what
        self.line = line
        self.column = column


def read_migration(path: Path) -> tuple[str, str]:
    """(name, SQL text) of the file. The name is the file's, without its folders.

    Raises Refused for what is missing or no regular file; Unreadable, with its place, for what is
    empty, too big, not UTF-8, or holds a zero byte.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise Refused(
            f"{path}: expected a migration file, found {(error.strerror or 'nothing').lower()}",
            remedy="give the path of a .sql file",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise Refused(
            f"{path}: expected a file, found {_what(status.st_mode)}",
            remedy="give the path of a .sql file",
        )
    if status.st_size > LIMIT_BYTES:
        raise Unreadable(
            path,
            f"expected at most {LIMIT_BYTES:,} bytes, found {status.st_size:,}",
            remedy="load large amounts of rows outside of the migration",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read: {error.strerror}", remedy="check the file's permissions"
        ) from error
    return path.name, _text(path, data)


def _text(path: Path, data: bytes) -> str:
    zero = data.find(b"\x00")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x}, which is not UTF-8"
        if zero >= 0 or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            found = "a file that looks like UTF-16"
        line, column = _place(data, error.start)
        raise Unreadable(
            path,
            f"expected UTF-8 text, found {found}",
            remedy="save the file as UTF-8",
            line=line,
            column=column,
        ) from error
    if zero >= 0:
        line, column = _place(data, zero)
        raise Unreadable(
            path,
            "expected text, found a zero byte",
            remedy="save the file as UTF-8 text",
            line=line,
            column=column,
        )
    if not text.strip("\ufeff \t\r\n\f\v"):
        raise Unreadable(
            path,
            "expected SQL statements, found an empty file",
            remedy="write the migration into it, or leave it out",
        )
    return text


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column in characters, from 1."""
    line = data.count(b"\n", 0, offset) + 1
    start = data.rfind(b"\n", 0, offset) + 1
    return line, len(data[start:offset].decode("utf-8", "replace")) + 1


def _what(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")

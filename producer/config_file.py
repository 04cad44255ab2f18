"""`bluegreen.toml` as a file: found, read, and every error in it told with its place.

A place is `FILE:LINE:COLUMN`, as for a migration file; the parser keeps none of a value, so its
line is looked for in the text.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.errors import Refused

FILE_NAME = "bluegreen.toml"
MEND = "mend the file, or remove it"
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
_HEADER = re.compile(r"\s*\[\s*([^\[\]]*?)\s*\]")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    path: Path
    text: str = ""

    def place(self, table: str, key: str) -> str:
        """Where that key of that table stands (table "": at the top); the path where it cannot be
        told."""
        spelled = rf"[\"']?{re.escape(key)}[\"']?\s*="
        dotted = rf"{re.escape(table)}\s*\.\s*{spelled}" if table else spelled
        found = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(line):
                found = header[1].strip("\"'")
                continue
            inside = re.match(rf"(\s*){spelled if found == table else dotted}", line)
            if inside and found in ("", table):
                return f"{self.path}:{number}:{len(inside[1]) + 1}"
        return str(self.path)


def find_file(folder: Path) -> Path | None:
    """`bluegreen.toml` in this folder or the nearest one above it, whatever is there by that name:
    one that cannot be read must not be passed over in silence."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place / FILE_NAME):
            return place / FILE_NAME
    return None


def read_file(path: Path) -> tuple[ConfigFile, dict[str, Any]]:
    """The file, and what it says. Raises Refused, with the place where there is one."""
    if not path.is_file():
        raise Refused(f"{path}: expected a file, found {_instead(path)}", remedy=MEND)
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark in front
        return ConfigFile(path, text), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        place = f"{path}:{at[1]}:{at[2]}" if at else str(path)
        said = _AT.sub("", str(error))
        raise Refused(f"{place}: expected TOML, found: {said}", remedy=MEND) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"{path}:{line}:1: expected UTF-8 text, found byte 0x{error.object[error.start]:02x}",
            remedy="save the file as UTF-8",
        ) from error
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}", remedy=MEND) from error


def _instead(path: Path) -> str:
    if path.is_dir():
        return "a directory"
    if path.is_symlink() and not path.exists():
        return f"a link to {path.readlink()}, which is not there"
    return "no regular file"


def as_toml(value: Any) -> str:
    """A value as the file has it, for an error."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value)

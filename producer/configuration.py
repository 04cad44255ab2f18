"""Where a setting comes from: flag, then environment, then `bluegreen.toml`, then the default.

`bluegreen.toml` is looked for here and in the folders above, as `pyproject.toml` is:

    state_dir = "/srv/bluegreen"      # relative paths: relative to the file
    [run]
    timeout = 60
    switch-delay = 5
    [windows]                         # when jobs of a kind may change anything, week by week
    maintenance = "Sun 02:00-04:00 Europe/Berlin"

The table of a command takes the long names of its options.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.domain.errors import Refused
from shared.domain.kinds import Kind

FILE_NAME = "bluegreen.toml"
STATE_DIR = "BLUEGREEN_STATE_DIR"
GUIDE_VARIABLES = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD")
SECRET_WORDS = ("PASSWORD", "TOKEN", "URLS")
"""Alert URLs carry the tokens of their services."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was configured outside the command line."""

    file: Path | None
    environment: Mapping[str, str]
    """The process environment, with the state directory of the file where none was named."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options by command, as the file spells them."""
    state_dir_from_file: bool = False
    windows: Mapping[str, str] = field(default_factory=dict)
    """By kind of migration: when its jobs may change anything where `--window` does not say."""


def find_file(folder: Path) -> Path | None:
    """`bluegreen.toml` in this folder or the nearest one above it."""
    for place in (folder, *folder.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
    return None


def read_configuration(folder: Path, environment: Mapping[str, str]) -> Configuration:
    """Raises Refused for a file that cannot be read, with its line."""
    path = find_file(folder)
    if path is None:
        return Configuration(None, dict(environment))
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path}: {error}", remedy="mend the file, or remove it") from error
    found = dict(environment)
    from_file = "state_dir" in body and not environment.get(STATE_DIR)
    if from_file:
        found[STATE_DIR] = str(path.parent / str(body["state_dir"]))
    windows = _windows(body.pop("windows", {}), path)
    return Configuration(path, found, _tables(body, path), from_file, windows)


def _windows(table: Any, path: Path) -> dict[str, str]:
    """Raises Refused for a kind that there is not; when one opens is read where it is used."""
    kinds = [kind.value for kind in Kind]
    if not isinstance(table, dict) or not set(table) <= set(kinds):
        found = ", ".join(table) if isinstance(table, dict) else repr(table)
        raise Refused(
            f"{path}: expected windows of {', '.join(kinds)}, found {found}",
            remedy='such as [windows] maintenance = "Sun 02:00-04:00 Europe/Berlin"',
        )
    return {kind: str(window) for kind, window in table.items()}


def _tables(body: Mapping[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    tables = {}
    for name, value in body.items():
        if name == "state_dir":
            continue
        if not isinstance(value, dict):
            raise Refused(
                f"{path}: expected the table of a command, found {name} = {value!r}",
                remedy=f"known at the top is `state_dir`; options stand under [run] and so on, "
                f"such as [run] {name} = {value!r}",
            )
        tables[name] = value
    return tables


def defaults_for(
    configuration: Configuration, options: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """The file's tables as defaults by parameter name.

    `options` is, by command, the parameter's name by the option's long name without `--`.
    Raises Refused for a command or an option that does not exist: a typo must not be a default.
    """
    found: dict[str, dict[str, Any]] = {}
    for command, table in configuration.tables.items():
        known = options.get(command)
        if known is None:
            raise Refused(
                f"{configuration.file}: no command is named {command!r}",
                remedy="known are " + ", ".join(sorted(options)),
            )
        found[command] = {}
        for name, value in table.items():
            parameter = known.get(name.replace("_", "-"))
            if parameter is None:
                raise Refused(
                    f"{configuration.file}: [{command}] has no option {name!r}",
                    remedy="known are " + ", ".join(sorted(known)),
                )
            found[command][parameter] = value
    return found


def masked(name: str, value: str) -> str:
    """What may be printed of a setting: nothing of a secret but that it is set."""
    return "********" if any(word in name.upper() for word in SECRET_WORDS) else value

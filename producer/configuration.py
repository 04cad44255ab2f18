"""Where a setting comes from: flag, then environment, then `bluegreen.toml`, then the default.

`bluegreen.toml` is looked for here and in the folders above, as `pyproject.toml` is:

    state_dir = "/srv/bluegreen"      # relative paths: relative to the file
    [run]
    timeout = 60
    switch-delay = 5
    [windows]                         # when jobs of a kind may change anything, week by week
    maintenance = "Sun 02:00-04:00 Europe/Berlin"

The table of a command takes the long names of its options. Of each value its kind is looked at
here, also for commands that are not called now; its range where the option is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from producer.config_file import ConfigFile, as_toml, find_file, read_file
from producer.config_values import Known, value_of
from shared.domain.errors import Refused
from shared.domain.kinds import Kind

STATE_DIR = "BLUEGREEN_STATE_DIR"
GUIDE_VARIABLES = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD")
SECRET_WORDS = ("PASSWORD", "TOKEN", "URLS")
"""Alert URLs carry the tokens of their services."""
WINDOW_EXAMPLE = 'such as [windows] maintenance = "Sun 02:00-04:00 Europe/Berlin"'


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
    source: ConfigFile | None = None
    """The file with its text, for the places of errors that are found later."""


def read_configuration(folder: Path, environment: Mapping[str, str]) -> Configuration:
    """Raises Refused, with its place, for a file that cannot be read or says what cannot be."""
    path = find_file(folder)
    if path is None:
        return Configuration(None, dict(environment))
    file, body = read_file(path)
    found = dict(environment)
    named = _state_dir(body.pop("state_dir", None), file)
    from_file = named is not None and not environment.get(STATE_DIR)
    if from_file:
        found[STATE_DIR] = str(path.parent / str(named))
    windows = _windows(body.pop("windows", {}), file)
    return Configuration(path, found, _tables(body, file), from_file, windows, file)


def _state_dir(value: Any, file: ConfigFile) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Refused(
            f"{file.place('', 'state_dir')}: expected a directory in state_dir, found "
            f"{as_toml(value)}",
            remedy='such as state_dir = "/srv/bluegreen"; relative paths: relative to the file',
        )
    return value


def _windows(table: Any, file: ConfigFile) -> dict[str, str]:
    """Raises Refused for a kind that there is not, and for what is no window."""
    kinds = [kind.value for kind in Kind]
    if not isinstance(table, dict):
        raise Refused(
            f"{file.place('', 'windows')}: expected the table [windows], found {as_toml(table)}",
            remedy=WINDOW_EXAMPLE,
        )
    for kind, window in table.items():
        place = file.place("windows", kind)
        if kind not in kinds:
            raise Refused(
                f"{place}: expected windows of {', '.join(kinds)}, found {kind}",
                remedy=WINDOW_EXAMPLE,
            )
        _check_window(window, place)
    return dict(table)


def _check_window(window: Any, place: str) -> None:
    if not isinstance(window, str):
        raise Refused(f"{place}: expected a window, found {as_toml(window)}", remedy=WINDOW_EXAMPLE)
    from shared.domain.window import ALWAYS, opens_at  # time zones: not for `--help`

    if window == ALWAYS:
        return
    try:
        opens_at(None, window, datetime.now(UTC))
    except Refused as error:
        raise Refused(f"{place}: {error.message}", remedy=error.remedy) from error


def _tables(body: Mapping[str, Any], file: ConfigFile) -> dict[str, dict[str, Any]]:
    for name, value in body.items():
        if not isinstance(value, dict):
            raise Refused(
                f"{file.place('', name)}: expected the table of a command, found {name} = "
                f"{as_toml(value)}",
                remedy=f"known at the top is `state_dir`; options stand under [run] and so on, "
                f"such as [run] {name} = {as_toml(value)}",
            )
    return dict(body)


def defaults_for(
    configuration: Configuration, options: Mapping[str, Mapping[str, Known]]
) -> dict[str, dict[str, Any]]:
    """The file's tables as defaults by parameter name.

    `options` is, by command, what is known of an option by its long name without `--`.
    Raises Refused for a command or an option that does not exist, and for a value of another kind
    than the option takes: a typo must not be a default.
    """
    file = configuration.source or ConfigFile(configuration.file or Path())
    found: dict[str, dict[str, Any]] = {}
    for command, table in configuration.tables.items():
        known = options.get(command)
        if known is None:
            raise Refused(
                f"{file.path}: no command is named {command!r}",
                remedy="known are " + ", ".join(sorted(options)),
            )
        found[command] = {}
        for name, value in table.items():
            option = known.get(name.replace("_", "-"))
            if option is None:
                raise Refused(
                    f"{file.place(command, name)}: [{command}] has no option {name!r}",
                    remedy="known are " + ", ".join(sorted(known)),
                )
            found[command][option.parameter] = value_of(file, command, name, option, value)
    return found


def masked(name: str, value: str) -> str:
    """What may be printed of a setting: nothing of a secret but that it is set."""
    return "********" if any(word in name.upper() for word in SECRET_WORDS) else value

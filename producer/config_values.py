"""What `bluegreen.toml` may say of an option: a value of its kind, and of no other.

A number is not `true`, though Python thinks so, and a whole number loses no decimals on its way.
Whether a value is in range, or one of the words, is asked where the option is read; the place in
the file is added to what is said there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Literal

from producer.config_file import ConfigFile, as_toml
from shared.domain.errors import Refused

Takes = Literal["a number", "a whole number", "true or false", "a path", "a text"]
_KINDS: dict[Takes, tuple[type, ...]] = {
    "a number": (int, float, str),
    "a whole number": (int, str),
    "true or false": (bool, str),
    "a path": (str,),
    "a text": (str, date, time),
}
"""TOML types; a text of a number is read as on the command line."""


@dataclass(frozen=True, slots=True)
class Known:
    """An option that a command has."""

    parameter: str
    takes: Takes = "a text"


def known_options(command: Any) -> dict[str, dict[str, Known]]:
    """Of each command that stands at the top: its options by their long names, without `--`."""
    return {
        name: {
            flag.removeprefix("--"): Known(str(parameter.name), _takes(parameter))
            for parameter in child.params
            for flag in parameter.opts
            if flag.startswith("--")
        }
        for name, child in command.commands.items()
        if not hasattr(child, "commands")
    }


def value_of(file: ConfigFile, table: str, name: str, known: Known, value: Any) -> Any:
    """The value as the command line would give it; a relative path is relative to the file.

    Raises Refused for a value of another kind.
    """
    is_bool = isinstance(value, bool) and known.takes != "true or false"
    if is_bool or not isinstance(value, _KINDS[known.takes]):
        raise Refused(
            f"{file.place(table, name)}: expected {known.takes} for {name}, found {as_toml(value)}",
            remedy=f"`bluegreen {table} --help` says what it may be",
        )
    if known.takes == "a path":
        return str(file.path.parent / str(value))
    return str(value) if known.takes == "a text" else value


def place_of(file: ConfigFile | None, tables: Mapping[str, Any], error: Exception) -> str:
    """Where the file has the value that an option refuses; empty where it came from elsewhere."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if file is None or context is None or parameter is None or context.parent is None:
        return ""
    source = context.get_parameter_source(parameter.name)
    if source is None or source.name != "DEFAULT_MAP":
        return ""
    table = str(context.info_name)
    flags = {flag.removeprefix("--") for flag in parameter.opts}
    names = [name for name in tables.get(table, {}) if name.replace("_", "-") in flags]
    return file.place(table, names[0]) if names else ""


def _takes(parameter: Any) -> Takes:
    kind = str(parameter.type.name)
    return next((takes for begins, takes in _BY_TYPE.items() if kind.startswith(begins)), "a text")


_BY_TYPE: dict[str, Takes] = {
    "boolean": "true or false",
    "float": "a number",
    "int": "a whole number",
    "path": "a path",
    "file": "a path",
    "directory": "a path",
}
"""By the beginning of what Typer calls a type; `int range` is one."""

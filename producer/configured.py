"""`config show`: every setting, its value, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from producer.configuration import GUIDE_VARIABLES, STATE_DIR, Configuration, masked
from producer.output import Output
from shared.domain.errors import Refused
from shared.settings import load, settings_path


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str | None
    """Masked where it is a secret."""
    source: str
    """`environment`, the path of a file, or `default`."""


@dataclass(frozen=True, slots=True)
class OptionOf:
    """An option of `run` as its declaration has it."""

    flag: str
    variable: str | None
    default: Any


def show(configuration: Configuration, options: list[OptionOf], output: Output) -> None:
    """All settings; a stack that is not there is said, and is no error: that is what one asks."""
    settings = [*guide_settings(configuration), state_dir_setting(configuration)]
    settings += option_settings(configuration, options)
    settings += [
        Setting(f"windows.{kind}", window, str(configuration.file))
        for kind, window in configuration.windows.items()
    ]
    problem = None
    try:
        settings += stack_settings(configuration)
    except Refused as error:
        problem = f"{error.message}; {error.remedy}"
    output.document({"settings": [asdict(each) for each in settings], "problem": problem})
    if not output.as_json:
        for each in settings:
            output.say(f"{each.name:<34}  {each.value if each.value is not None else '-':<40}"
                       f"  {each.source}")  # fmt: skip
    if problem:
        output.warn(f"bluegreen: {problem}")


def guide_settings(configuration: Configuration) -> Iterator[Setting]:
    """The administrator of the active side, as the guide's variables give it."""
    for name in GUIDE_VARIABLES:
        value = configuration.environment.get(name)
        if value is None:
            yield Setting(name, None, "default")
        else:
            yield Setting(name, masked(name, value), "environment")


def state_dir_setting(configuration: Configuration) -> Setting:
    from_file = configuration.state_dir_from_file
    named = configuration.environment.get(STATE_DIR)
    source = str(configuration.file) if from_file else "environment" if named else "default"
    return Setting("state_dir", str(settings_path(configuration.environment).parent), source)


def option_settings(configuration: Configuration, options: list[OptionOf]) -> Iterator[Setting]:
    table: Mapping[str, Any] = configuration.tables.get("run", {})
    in_file = {name.replace("_", "-"): value for name, value in table.items()}
    for option in options:
        name = option.flag.removeprefix("--")
        value = configuration.environment.get(option.variable or "")
        if value:
            yield Setting(f"run.{name}", value, f"environment {option.variable}")
        elif name in in_file:
            yield Setting(f"run.{name}", str(in_file[name]), str(configuration.file))
        else:
            default = None if option.default is None else str(option.default)
            yield Setting(f"run.{name}", default, "default")


def stack_settings(configuration: Configuration) -> Iterator[Setting]:
    """The stack's own file, flattened. Raises Refused when there is none."""
    path = settings_path(configuration.environment)
    body = load(configuration.environment).model_dump(mode="json")
    for name, value in _flat("stack", body):
        yield Setting(name, None if value is None else masked(name, str(value)), str(path))


def _flat(prefix: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{key}", value)
        else:
            yield f"{prefix}.{key}", value

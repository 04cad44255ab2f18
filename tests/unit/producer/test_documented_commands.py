"""Each command that the documentation shows is one of ours, with options that it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

from producer.cli import app

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
IN_A_BLOCK = re.compile(
    r"^    (?:.*?(?:\$\(|run: |script: |xargs -r |controller ))?(bluegreen .+)$"
)
IN_A_LINE = re.compile(r"`(?:[^`]* )?(bluegreen [a-z-][^`]*)`")
STANDS_FOR_ANY = {"COMMAND"}
OUR_GROUP: Any = typer.main.get_command(app)


def shown(page: Path) -> Iterator[str]:
    for line in page.read_text(encoding="utf-8").splitlines():
        if found := IN_A_BLOCK.match(line):
            yield found[1]
        else:
            yield from IN_A_LINE.findall(line)


def words(command: str) -> list[str]:
    """Those behind `bluegreen`, up to the shell's own: a pipe, a redirection, the end of `$( )`."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|><;&)")
    lexer.whitespace_split = True
    return list(takewhile(lambda word: not set(word) <= set("|><;&)"), lexer))[1:]


COMMANDS = sorted({(page.name, each) for page in PAGES for each in shown(page)})


@pytest.mark.parametrize(("page", "shown_command"), COMMANDS)
def test_a_shown_command_is_one_of_ours(page: str, shown_command: str) -> None:
    command, rest = OUR_GROUP, words(shown_command)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name = rest.pop(0)
        if name in STANDS_FOR_ANY:
            return
        assert name in command.commands, f"{page} shows {shown_command}: there is no {name}"
        command = command.commands[name]

    known = {"--help"} | {option for each in command.params for option in each.opts}
    asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert asked <= known, f"{page} shows {shown_command}: there is no {asked - known}"


def test_they_are_found_in_blocks_and_in_lines() -> None:
    pages = {page for page, _ in COMMANDS}

    assert {"README.md", "pipelines.md", "validator.md", "rollback.md", "guide.md"} <= pages
    assert ("pipelines.md", 'bluegreen finish "$job"') in COMMANDS
    assert words("bluegreen a --b 'c d' > e") == ["a", "--b", "c d"]

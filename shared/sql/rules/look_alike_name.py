"""A name is written with letters of two alphabets, or with a character that nobody sees."""

from __future__ import annotations

import re
from unicodedata import category, name

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.pieces import names_written
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="look-alike-name",
    in_use=False,
    stands_out=True,
    risk=Risk.MEDIUM,
    lock=None,
    effect="The name looks like another one and is not it: the statement misses what it means.",
    remedy="Type the name again, or rename what bears it.",
    source="Unicode Technical Standard 39, Mixed-Script Detection",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "CREATE TABLE us\u0435rs (id int)",
        'CREATE TABLE "users\u200b" (id int)',
    ),
    good=(
        "CREATE TABLE \u0438\u043c\u0435\u043d\u0430 (\u0438\u043c\u044f_id int)",
        "CREATE TABLE gr\u00f6\u00dfen (id int); COMMENT ON TABLE gr\u00f6\u00dfen IS '\u0430a'",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    text = step.statement.text
    if text.isascii() or operation is not step.operations[0]:
        return None
    for written in names_written(text):
        if why := _why(written):
            return Finding(operation, f"the name {written!r} {why}")
    return None


_WORD = re.compile(r"[^\W\d_]+")
_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Those with letters that look alike."""


def _why(written: str) -> str:
    """What is wrong with a name; empty when it is written with one alphabet in each word."""
    for letter in written:
        if category(letter) == "Cf":
            return f"holds the invisible character U+{ord(letter):04X}"
    for word in _WORD.findall(written):
        found = {name(letter, "").partition(" ")[0]: letter for letter in word}
        mixed = sorted(_ALPHABETS.intersection(found))
        if len(mixed) > 1:
            which = " and ".join(f"{each.title()} ({found[each]})" for each in mixed)
            return f"mixes letters of two alphabets: {which}"
    return ""

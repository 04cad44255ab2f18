"""docs/saga.md, printed from the two tables: `python -m shared.saga.page > docs/saga.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.saga import conditions
from shared.saga.recipes import HOUR, MINUTE, NO_LIMIT, RECIPES, RecipeStep
from shared.saga.state import GUARANTEES, OUTCOMES, Phase
from shared.saga.transitions import IGNORED, TABLE, Row

_TOP = """\
<!-- Printed by `python -m shared.saga.page` (make docs). Change the tables, not this page. -->

# The saga

One run of a migration is a *job*. It goes through the steps of its recipe in order. When a step
fails, the steps that began are undone in reverse order, beginning with the one that failed, for it
may be half done. The *point of no return* is the moment from which there is only forward; before
it, everything can be undone. `shared/saga/` decides all of this and does no I/O: the coordinator
asks it, writes down what it says, and sends one command at a time.
"""
_LAWS = """\
- The point of no return commits the job when it is *sent*, for it may run half and fail. A step
  that `commits` does so when its transaction has; its undo refuses from then on.
- Every attempt has an *epoch* of its own. An answer with an older one changes nothing.
- An abort is a request: honoured at the next answer, and at once while nothing runs.
- A step over its limit has failed. Its work may still be under way; the job's lock in the control
  database keeps the undo waiting until that has ended.
- `Transient` failures are tried again, after a pause that doubles. `Refused` and `Broken` are not,
  except behind the point of no return and on the way back, where `Broken` is tried again too.
- A server that is away, or only starts (`Away`), is waited for about two minutes, as on the way
  back, and takes no attempt from the step: but not where traffic is held, nor in a step that begins
  only once.
- With `--no-rollback` a failure after the first change leaves the servers as they are, but never
  traffic that is held.
- A rollback that keeps the sync undoes only what comes after the rest in sync, and the job goes on
  from there. What the undone steps learned is forgotten, and asked anew.
- What is lost is sent again: the command that is out follows from the job's row.
"""


def page() -> str:
    parts = [_TOP]
    parts += [f"## Recipe: {kind}\n\n{_recipe(recipe)}" for kind, recipe in RECIPES.items()]
    parts += [f"## Phases\n\n{_phases()}", f"## Laws\n\n{_LAWS}"]
    parts += [f"## The table\n\nThe first row that fits is taken.\n\n{_transitions()}"]
    parts += [f"Without effect, on purpose: {_ignored()}.\n", f"### Conditions\n\n{_conditions()}"]
    parts += [f"## Picture\n\n{_picture()}"]
    return "\n".join(parts)


def _recipe(recipe: Sequence[RecipeStep]) -> str:
    head = ("step", "agent", "limit", "attempts", "role", "undone by", "note")
    return _table(
        head,
        (
            (f"`{step.name}`", step.owner, _limit(step.limit_s), str(step.attempts), step.role,
             step.undone_by, _note(step))
            for step in recipe
        ),
    )  # fmt: skip


def _note(step: RecipeStep) -> str:
    asked = {"hold": "only with `--hold`", "window": "only with `--at` or `--window`",
             "backup": "not with `--backup none`", "": ""}  # fmt: skip
    notes = (
        asked[step.only_if],
        "only looks" if step.looks_only else "",
        f"ends on `{step.ends_on}`" if step.ends_on else "",
        "first change of the servers" if step.changes else "",
        f"traffic may be held until `{step.holds_until}` is done" if step.holds_until else "",
    )
    return "; ".join(note for note in notes if note)


def _limit(seconds: float) -> str:
    if seconds >= NO_LIMIT:
        return "none"
    return f"{seconds / HOUR:g} h" if seconds >= HOUR else f"{seconds / MINUTE:g} min"


def _phases() -> str:
    return _table(
        ("phase", "guarantees", "outcome"),
        ((f"`{phase}`", GUARANTEES[phase], f"`{OUTCOMES[phase]}`" if phase in OUTCOMES else "")
         for phase in Phase),
    )  # fmt: skip


def _transitions() -> str:
    return _table(
        ("in", "on", "if", "goes to", "does", "says"),
        ((row.phase, row.on, _words(row.when.__name__), row.to, row.does, row.says)
         for row in TABLE),
    )  # fmt: skip


def _ignored() -> str:
    return ", ".join(sorted(f"{phase} / {on}" for phase, on in IGNORED))


def _conditions() -> str:
    used = {row.when.__name__ for row in TABLE}
    asked = [vars(conditions)[name] for name in vars(conditions) if name in used]
    return _table(("if", "means"), ((_words(one.__name__), one.__doc__ or "") for one in asked))


def _picture() -> str:
    edges: dict[tuple[Phase, Phase], list[Row]] = {}
    for row in TABLE:
        edges.setdefault((row.phase, row.to), []).append(row)
    lines = [
        f"    {source} --> {target}: {', '.join(dict.fromkeys(_label(row) for row in rows))}"
        for (source, target), rows in edges.items()
    ]
    ends = [f"    {phase} --> [*]" for phase in Phase if not _left(phase)]
    return "\n".join(
        ["```mermaid", "stateDiagram-v2", "    [*] --> requested", *lines, *ends, "```", ""]
    )


def _label(row: Row) -> str:
    """The condition too, where it decides that the phase is left."""
    plain = row.phase is row.to or row.when is conditions.always
    return row.on if plain else f"{row.on} [{_words(row.when.__name__)}]"


def _left(phase: Phase) -> bool:
    return any(row.phase is phase for row in TABLE)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_flat(cell) for cell in line)} |\n" for line in lines)


def _flat(cell: str) -> str:
    return " ".join(str(cell).split())


if __name__ == "__main__":
    print(page(), end="")

"""Look at a statement that stands inside a body, as if it stood in the file."""

from __future__ import annotations

from shared.sql import forbidden
from shared.sql.body_parts import Part
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.findings import Problem
from shared.sql.folding import PLACEHOLDER
from shared.sql.forbidden_names import is_suspect
from shared.sql.grammar import SyntaxProblem


def run_part(ctx: Context, part: Part) -> list[Operation]:
    """The operations of one embedded statement; a problem when it cannot be SQL."""
    if ctx.step is None:
        return []
    with ctx.in_body(part.line):
        try:
            trees = part.trees()
        except SyntaxProblem as problem:
            if not part.dynamic:
                ctx.error("syntax", f"in the body: {problem.message}")
            return []
        outer, ctx.step.operations = ctx.step.operations, []
        unsure = PLACEHOLDER in part.text
        complete, before = ctx.catalog.complete, len(ctx.problems)
        if unsure:
            ctx.catalog.complete = False
        suspect = is_suspect(part.text)
        try:
            for raw in trees:
                for tag, node in raw["stmt"].items():
                    if suspect or tag in forbidden.LOOKED_AT:
                        forbidden.check(ctx, tag, node, suspect=suspect)
                    ctx.look(ctx, tag, node)
            if unsure:
                _forget(ctx, [p for p in ctx.problems[before:] if PLACEHOLDER in p.message])
            if part.conditional:
                _allow_missing(ctx, before)
            return ctx.step.operations
        finally:
            ctx.catalog.complete = complete
            ctx.step.operations = outer


def _allow_missing(ctx: Context, before: int) -> None:
    """What a branch that may not run misses is no error of the file."""
    missing = [problem for problem in ctx.problems[before:] if problem.kind == "catalog"]
    if missing:
        ctx.cannot_see("whether the branches of a body run that name what does not exist")
        _forget(ctx, missing)


def _forget(ctx: Context, problems: list[Problem]) -> None:
    """What was said of a name that is not known, or of a branch that may not run."""
    ctx.said.difference_update(problems)
    ctx.problems[:] = [problem for problem in ctx.problems if problem not in problems]

"""A whole file, statement by statement: what each does, and under which locks."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.kinds import Kind
from shared.sql import versions
from shared.sql.catalog import Catalog
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.findings import Problem
from shared.sql.forbidden import LOOKED_AT, check
from shared.sql.forbidden_names import Suspects
from shared.sql.operations.registry import look
from shared.sql.operations.session import lock_timeout_ms
from shared.sql.parse import Reading, Statement, read
from shared.sql.principals import roles_made, roles_named
from shared.sql.step import Step
from shared.sql.versions import NEWEST_GRAMMAR
from shared.sql.waiting import hold


@dataclass(frozen=True, slots=True)
class Analysis:
    reading: Reading
    steps: tuple[Step, ...]
    """One per statement, without BEGIN and COMMIT."""
    problems: tuple[Problem, ...]
    unseen: tuple[str, ...]
    catalog: Catalog
    """As it is after the file."""
    rolled_back: frozenset[int]
    """Explicit blocks that end in ROLLBACK."""


def analyse(
    reading: Reading, *, version: int, catalog: Catalog | None = None, as_one: bool = False
) -> Analysis:
    """Follow the file, which may be read only now, over a copy of `catalog`.

    Never raises for what a file may hold.

    `as_one`: as if the whole file, which has no BEGIN of its own, ran in one transaction.
    """
    ctx = Context(
        source=reading.source,
        catalog=catalog.copy() if catalog is not None else Catalog(),
        version=version,
        look=look,
    )
    ctx.savepoints.read = reading.statements
    ctx.settings |= ctx.catalog.settings
    ctx.block = ctx.blocks = int(as_one)
    steps: list[Step] = []
    suspects = Suspects(reading.source)
    for statement in reading.follow():
        step = _step(ctx, statement, suspect=suspects.holds(statement.start, statement.text))
        if statement.tag == "TransactionStmt":
            ctx.held = ctx.held if ctx.block else {}
            continue
        if step.in_block or step.grows:
            hold(ctx, step, ctx.held)
        steps.append(step)
    if not as_one:
        _unclosed(ctx)
    _settle(ctx, steps)
    unread = [Problem("syntax", p.message, p.place, p.remedy) for p in reading.problems]
    return Analysis(
        reading=reading,
        steps=tuple(steps),
        problems=(*unread, *ctx.problems),
        unseen=tuple(ctx.unseen),
        catalog=ctx.catalog,
        rolled_back=frozenset(ctx.rolled_back),
    )


def build(schema_sql: str, *, version: int) -> tuple[Catalog, tuple[str, ...]]:
    """The catalog that a schema file makes (a `pg_dump -s`, or any file of DDL).

    Data statements are skipped. A file that makes roles is taken to name all of them; otherwise
    roles are not known. Also answers what of it could not be read, with its place.
    """
    reading = read(schema_sql)
    ctx = Context(
        source=reading.source,
        catalog=Catalog(complete=True),
        version=version,
        look=look,
        building=True,
    )
    for statement in reading.statements:
        if statement.tag not in _DATA:
            _step(ctx, statement, suspect=False)
    ctx.catalog.extensions.add("plpgsql")
    if made := roles_made(reading):
        ctx.catalog.roles = made | roles_named(reading) | {"postgres"}
    skipped = [
        f"{each.place}: {each.message}"
        for each in reading.problems
        if "stdin" not in each.message and "psql" not in each.message
    ]
    return ctx.catalog, tuple(skipped)


_DATA = frozenset(
    {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "TruncateStmt"}
    | {"RefreshMatViewStmt", "VacuumStmt", "GrantStmt", "CommentStmt", "SelectStmt", "DoStmt"}
)


def _step(ctx: Context, statement: Statement, *, suspect: bool) -> Step:
    tag, node = statement.tag, statement.node
    ctx.step = step = Step(statement, ctx.block)
    if not ctx.locked and (ctx.settings or ctx.local_settings):
        step.lock_timeout_set = lock_timeout_ms(ctx) > 0
    if suspect or tag in LOOKED_AT:
        check(ctx, tag, node, suspect=suspect)
    if ctx.version < NEWEST_GRAMMAR:
        versions.check(ctx, tag, node)
    look(ctx, tag, node)
    step.sum_up()
    if step.locks:
        ctx.locked = True
    if step.outside_block and step.in_block:
        words = " ".join(statement.text.split()[:3]).upper()
        ctx.error(
            "transaction",
            f"{words} cannot run inside a transaction block",
            remedy="COMMIT before it, and go on in a new transaction after it",
        )
    return step


def _unclosed(ctx: Context) -> None:
    if ctx.block:
        ctx.step = None
        place = ctx.block_place
        if place is not None:
            problem = Problem(
                "transaction",
                "BEGIN without COMMIT: what follows it would be rolled back",
                place,
                "write COMMIT; where the transaction is to end",
            )
            ctx.problems.append(problem)


def _settle(ctx: Context, steps: list[Step]) -> None:
    """What only the end of the file shows: compatibility views, blocks that were rolled back."""
    undone = ctx.savepoints.undone
    for step in steps if ctx.rolled_back or undone else ():
        if step.block in ctx.rolled_back or step.statement.index in undone:
            for operation in step.operations:
                operation.destroys = ()
                operation.breaks = ()
                operation.bulk = ()
    if not ctx.renaming:
        return
    views = {r.shown for r in ctx.catalog.relations.values() if r.new and r.kind == "view"}
    for operation in (o for step in ctx.renaming for o in step.operations if "renamed" in o.notes):
        if _replaced(operation, views):
            operation.breaks = ()
            operation.note("compatibility-view")
            operation.needs(
                Kind.RISKY,
                "a view stands under the table's old name: ON CONFLICT, COPY and row locks "
                "of old clients may not work through it",
                "run it as a risky migration, whose gate plans the clients' statements first",
            )


def _replaced(operation: Operation, views: set[str]) -> bool:
    """Whether a table was renamed and a view stands under its old name now."""
    return any(
        note.startswith("renamed ") and note.removeprefix("renamed ") in views
        for note in operation.notes
    )

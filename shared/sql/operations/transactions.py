"""BEGIN, COMMIT, ROLLBACK and savepoints: what is undone is again as it was."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.operations.session import look_in
from shared.sql.savepoints import Savepoint

_BACK = "ROLLBACK_TO"


def transaction(ctx: Context, node: Node) -> None:
    """No operation of their own."""
    kind = node["kind"].removeprefix("TRANS_STMT_")
    if kind in ("BEGIN", "START"):
        _begin(ctx)
    elif kind in ("COMMIT", "ROLLBACK"):
        _end(ctx, kind, chain=bool(node.get("chain")))
    elif kind in ("SAVEPOINT", "RELEASE", "ROLLBACK_TO"):
        _savepoint(ctx, kind, node.get("savepoint_name", ""))


def _begin(ctx: Context) -> None:
    if ctx.block:
        ctx.error(
            "forbidden",
            "BEGIN inside a transaction: there are no nested transactions",
            remedy="remove it, or COMMIT before it",
        )
        return
    ctx.blocks += 1
    ctx.block = ctx.blocks
    ctx.block_place = ctx.place()
    _keep(ctx, "")


def _end(ctx: Context, kind: str, *, chain: bool) -> None:
    if not ctx.block:
        ctx.error(
            "forbidden",
            f"{kind} without BEGIN: it would end the transaction that the migrator runs the "
            "file in",
            remedy="remove it, or write BEGIN; where the transaction is to start",
        )
        return
    if chain:
        ctx.error(
            "forbidden",
            f"{kind} AND CHAIN leaves a transaction open",
            remedy=f"write {kind}; BEGIN;",
        )
    if kind == "ROLLBACK":
        ctx.rolled_back.add(ctx.block)
        if ctx.savepoints.open:
            _go_back(ctx, ctx.savepoints.open[0])
    _end_block(ctx)


def _end_block(ctx: Context) -> None:
    ctx.local_settings.clear()
    if ctx.outer_path is not None:
        look_in(ctx, ctx.outer_path)
        ctx.outer_path = None
    for each in ctx.catalog.types.values():
        each.fresh_labels.clear()
        each.new_in_block = False
    ctx.fresh_values = False
    ctx.savepoints.open.clear()
    ctx.catalog.go_on()
    ctx.block = 0


def _savepoint(ctx: Context, kind: str, name: str) -> None:
    words = kind.replace("_", " ")
    if not ctx.block:
        ctx.error(
            "transaction",
            f"{words} can only be used in a transaction block",
            remedy="write BEGIN; before it",
        )
        return
    if kind == "SAVEPOINT":
        _keep(ctx, name)
        return
    found = ctx.savepoints
    at = found.named(name)
    if at is None:
        if found.open:
            ctx.error("transaction", f'savepoint "{name}" does not exist', remedy="see its name")
        return
    if kind == "RELEASE":
        del found.open[at:]
        return
    del found.open[at + 1 :]
    _undo(ctx, found.open[at])


def _keep(ctx: Context, name: str) -> None:
    """Remember how everything is, in a file that goes back to something."""
    if not ctx.savepoints.may_go_back(ctx.source):
        return
    catalog = None
    if ctx.savepoints.may_come(_BACK if name else "ROLLBACK", _here(ctx)):
        catalog = ctx.savepoints.keep(ctx.catalog, len(ctx.new_columns))
    ctx.savepoints.open.append(
        Savepoint(
            name=name,
            statement=_here(ctx),
            held=dict(ctx.held),
            catalog=catalog,
            settings=dict(ctx.settings),
            local_settings=dict(ctx.local_settings),
            path=list(ctx.path),
            outer_path=ctx.outer_path,
            new_columns=set(ctx.new_columns) if catalog is not None else ctx.new_columns,
        )
    )


def _undo(ctx: Context, savepoint: Savepoint) -> None:
    """ROLLBACK TO: the savepoint stays, and its locks are held on."""
    here = _here(ctx)
    ctx.savepoints.undone.update(range(savepoint.statement + 1, here))
    savepoint.statement = here
    ctx.held = dict(savepoint.held)
    _go_back(ctx, savepoint)
    if savepoint.catalog is not None and ctx.savepoints.may_come(_BACK, here):
        savepoint.catalog = ctx.savepoints.keep(savepoint.catalog, len(savepoint.new_columns))


def _go_back(ctx: Context, savepoint: Savepoint) -> None:
    if savepoint.catalog is None:
        ctx.cannot_see("what ROLLBACK undoes, in a file that goes back too often to follow")
    else:
        ctx.catalog = savepoint.catalog
        ctx.catalog.share()  # with older savepoints
    ctx.settings = dict(savepoint.settings)
    ctx.local_settings = dict(savepoint.local_settings)
    ctx.path[:] = savepoint.path
    ctx.outer_path = savepoint.outer_path
    if savepoint.catalog is not None:
        ctx.new_columns = set(savepoint.new_columns)


def _here(ctx: Context) -> int:
    return ctx.step.statement.index if ctx.step is not None else 0

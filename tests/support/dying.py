"""A world in which the worker dies right after one act: the act is done, the answer never comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shared.domain.environment import Colour
from shared.ports import Node, Session


class Died(BaseException):
    """No step may catch it, as no process catches SIGKILL."""


class DyingNodes(Mapping[Colour, Node]):
    """The same nodes, but the first act whose name or SQL holds `act` is the last one.

    Acts are the driver's methods by name, and statements by their text.
    """

    def __init__(self, nodes: Mapping[Colour, Node], act: str) -> None:
        self._nodes = {colour: _DyingNode(node, self._die) for colour, node in nodes.items()}
        self._act = act
        self.has_died = False

    def __getitem__(self, colour: Colour) -> Node:
        return self._nodes[colour]  # type: ignore[return-value]

    def __iter__(self) -> Iterator[Colour]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def _die(self, act: str) -> None:
        if self._act in act:
            self.has_died = True
            raise Died(act)


class _DyingNode:
    def __init__(self, node: Node, die: Callable[[str], None]) -> None:
        self._node, self._die = node, die
        self.colour = node.colour
        self.driver = _Dying(node.driver, die)

    @contextmanager
    def session(self, **options: Any) -> Iterator[Session]:
        with self._node.session(**options) as session:
            yield _Dying(session, self._die)  # type: ignore[misc]

    def replication_conninfo(self, *, database: str | None) -> str:
        return self._node.replication_conninfo(database=database)


class _Dying:
    """Passes every call on, and dies after the one that is asked for."""

    def __init__(self, inner: Any, die: Callable[[str], None]) -> None:
        self._inner, self._die = inner, die

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*args: Any, **named: Any) -> Any:
            answer = method(*args, **named)
            self._die(str(args[0]) if args and name in SQL_METHODS else name)
            return answer

        return call


SQL_METHODS = ("execute", "rows", "row", "value", "script")

"""Names of relations, and the two states of names that the mapping knows of each."""

from __future__ import annotations

from typing import Literal, NamedTuple

from shared.domain.identifiers import ident

NameState = Literal["sync", "final"]
"""In *sync* both sides wear the source's names, in *final* the file's."""


class Name(NamedTuple):
    """A qualified name of a relation."""

    namespace: str
    name: str

    @property
    def sql(self) -> str:
        return ident(self.namespace, self.name)

    @property
    def label(self) -> str:
        return self.name if self.namespace == "public" else f"{self.namespace}.{self.name}"

"""Tables that the file makes and nothing fills but the file and, later, the application.

A rollback leaves the application's rows there behind: they belong to nothing on the source. Before
the target may serve again such a table is what the file made it (rederive.py).
"""

from __future__ import annotations

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB
from shared.mapping.model import Mapping
from shared.mapping.name_states import Name


def keep_made(mapping: Mapping) -> list[str]:
    """Right after the file, names in state final: what it put into each such table."""
    return [
        f"CREATE TABLE IF NOT EXISTS {_kept(number)} AS TABLE {name.sql}"
        for number, name in enumerate(_made(mapping))
    ]


def as_made(mapping: Mapping) -> list[str]:
    """In state sync, as a replica, so that nothing fires."""
    sync = {moved.final: moved.sync for moved in mapping.moved_on_target}
    return [
        f"SELECT {ident(JOB, 'as_made')}({literal(sync.get(name, name).sql)},"
        f" {literal(_kept(number))})"
        for number, name in enumerate(_made(mapping))
    ]


def _made(mapping: Mapping) -> list[Name]:
    derived = {made.final for made in mapping.derived}
    return [name for name in mapping.created if name not in derived]


def _kept(number: int) -> str:
    return ident(JOB, f"made_{number}")

"""Every table of the control database is somebody's: a new one must say whose."""

from __future__ import annotations

import re
from pathlib import Path

from shared.adapters.control import roles
from shared.domain.objects import CONTROL_ROLES

SCHEMA = Path(roles.__file__).parent / "schema"


def test_every_table_is_granted_to_who_writes_it_and_none_is_unknown() -> None:
    made = {
        name
        for file in SCHEMA.glob("*.sql")
        for name in re.findall(
            r"CREATE TABLE IF NOT EXISTS bluegreen_control\.(\w+)", file.read_text()
        )
    }
    granted = {table for tables in roles.GRANTS.values() for table in tables}
    written = {
        table
        for tables in roles.GRANTS.values()
        for table, rights in tables.items()
        if "INSERT" in rights
    }
    assert granted == made, "name each table in shared/adapters/control/roles.py"
    assert made - written == {"audit", "removed_step"}, "somebody writes each; these have functions"


def test_every_process_has_grants() -> None:
    assert roles.GRANTS.keys() == CONTROL_ROLES.keys()

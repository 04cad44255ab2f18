"""`bluegreen audit verify`: whether its chain holds, and whether it is still the same one."""

from __future__ import annotations

import re

from producer.configuration import Configuration
from producer.exit_codes import ExitCode
from producer.output import Output
from producer.store import open_store, settings_of
from shared.adapters.control import audit
from shared.adapters.control.connection import ControlDatabase
from shared.domain.counted import counted
from shared.domain.errors import Refused

_HEAD = re.compile(r"(\d+):([0-9a-f]{64})")


def verify(configuration: Configuration, output: Output, head: str | None) -> ExitCode:
    """Raises Refused for a head of another form."""
    noted = None if head is None else _read(head)
    settings = settings_of(configuration)
    open_store(settings)
    with ControlDatabase(
        settings, application_name="bluegreen/producer", agent="producer"
    ).session() as session:
        broken = audit.first_broken(session)
        rows, newest = audit.head(session)
        kept = noted is None or audit.hash_of(session, noted[0]) == noted[1]
    code = ExitCode.DONE if broken is None and kept else ExitCode.NEEDS_OPERATOR
    output.document(
        {
            "rows": rows,
            "head": newest,
            "firstBroken": broken,
            "headKept": None if noted is None else kept,
            "exitCode": int(code),
        }
    )
    if broken is not None:
        output.say(f"row {broken} of the audit was changed, or the row before it is missing")
    if noted is not None and not kept:
        output.say(f"row {noted[0]} is not the one whose hash was noted: the chain was rewritten")
    if code is ExitCode.DONE:
        output.say(f"{counted(rows, 'row')}, each follows from the one before it")
    output.say(f"head {newest}")
    return code


def _read(head: str) -> tuple[int, str]:
    found = _HEAD.fullmatch(head.strip())
    if found is None:
        raise Refused(
            f"expected a head such as 41:9f2c... (64 hex digits), found {head!r}",
            remedy="take it as `bluegreen audit verify` printed it",
        )
    return int(found[1]), found[2]

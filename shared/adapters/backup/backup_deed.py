"""Long work on a rollback point as a deed: a process that outlives the worker's death.

The deed's directory holds `order.json`, what to do. The process prints a line for each step of
progress, and as its last line, when it fails, the error as JSON.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.adapters.backup.point_files import PointFiles
from shared.adapters.backup.point_work import dump_data_part, verify_point
from shared.adapters.deeds import Deeds
from shared.domain.errors import FAMILIES, MigrationError, Transient
from shared.ports import DeedState
from shared.settings import Settings

PROGRAM = "shared.adapters.backup.backup_deed"
Kind = Literal["dump", "verify"]
_PERCENT = re.compile(r"^\d+% ")


class Order(BaseModel):
    """What a deed is to do."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    point: str
    tables: tuple[str, ...] = ()
    settings: Settings
    """Holds names of secret files, no secret."""

    @property
    def name(self) -> str:
        return f"{self.point}.{self.kind}"


def deeds_of(settings: Settings) -> Deeds:
    return Deeds(settings.backup_dir / ".deeds")


def is_begun(order: Order) -> bool:
    """Whether such a deed runs, or has ended and nobody has looked since."""
    return deeds_of(order.settings).look(order.name).state != "absent"


def start_or_look(order: Order) -> DeedState:
    """Begin the deed unless it runs or has ended; say how it stands.

    Raises what it failed with, or Transient when it died without a word; the record is then
    forgotten, so that the next call begins anew.
    """
    deeds = deeds_of(order.settings)
    state = deeds.look(order.name)
    if state.state == "absent":
        place = deeds.log(order.name).parent
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        (place / "order.json").write_text(order.model_dump_json(), encoding="utf-8")
        deeds.start(order.name, [sys.executable, "-m", PROGRAM, str(place / "order.json")])
        return DeedState("running", "started", 0.0)
    if state.state != "running":
        deeds.forget(order.name)
    if state.state == "failed":
        raise _failure(order, state.last_line)
    return replace(state, last_line=_PERCENT.sub("", state.last_line) or "under way")


def end(settings: Settings, point: str, kind: Kind) -> None:
    """End the deed if it runs, and forget it. Absent is fine."""
    deeds_of(settings).forget(f"{point}.{kind}")


def forget_ended(settings: Settings) -> None:
    """Remove the records of deeds that nobody came back to look at."""
    deeds = deeds_of(settings)
    for name in deeds.names():
        if deeds.look(name).state != "running":
            deeds.forget(name)


def end_all(settings: Settings) -> None:
    """End every deed of that backup directory."""
    deeds = deeds_of(settings)
    for name in deeds.names():
        deeds.forget(name)


def _failure(order: Order, last_line: str) -> MigrationError:
    try:
        said = json.loads(last_line)
        return FAMILIES[said["family"]](said["message"], remedy=said["remedy"], code=said["code"])
    except (ValueError, KeyError, TypeError):
        return Transient(f"{order.name}: the process died ({last_line}); it is begun again")


def main(arguments: Sequence[str]) -> int:
    """Do what the order says: 0 when it is done. The shell of the deed."""
    order = Order.model_validate_json(Path(arguments[0]).read_bytes())
    try:
        print(_do(order), flush=True)
    except MigrationError as error:
        body = {"family": error.family, "message": error.message}
        print(json.dumps(body | {"remedy": error.remedy, "code": error.code}), flush=True)
        return 1
    return 0


def _do(order: Order) -> str:
    point = PointFiles(order.settings.backup_dir).find(order.point)
    if order.kind == "dump":
        dumped = dump_data_part(order.settings, point, order.tables, _report)
        return f"{dumped.rows} rows of {len(dumped.tables)} tables dumped"
    verified = verify_point(order.settings, point, _report)
    return f"{verified.rows} rows restored and counted"


def _report(progress: float | None, sentence: str) -> None:
    percent = "" if progress is None else f"{progress * 100:.0f}% "
    print(f"{percent}{sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

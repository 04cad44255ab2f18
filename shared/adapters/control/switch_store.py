"""The control database behind the Switches port."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from psycopg.types.json import Jsonb

from shared.adapters.control.connection import ControlDatabase
from shared.domain.pause_phases import in_order
from shared.ports import SwitchRecord

COLUMNS = tuple(column.name for column in fields(SwitchRecord))
_NAMES = ", ".join(COLUMNS)
_SAVE = f"""INSERT INTO bluegreen_control.switch ({_NAMES})
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)}) ON CONFLICT DO NOTHING"""  # noqa: S608
_OF_JOB = f"SELECT {_NAMES} FROM bluegreen_control.switch WHERE job = %s ORDER BY at"  # noqa: S608


@dataclass(frozen=True, slots=True)
class SwitchStore:
    control: ControlDatabase

    def save(self, record: SwitchRecord) -> None:
        values = asdict(record) | {
            "phases_ms": Jsonb(dict(record.phases_ms)),
            "samples": Jsonb([list(sample) for sample in record.samples]),
        }
        with self.control.session() as session:
            session.execute(_SAVE, values)

    def of_job(self, job: str) -> list[SwitchRecord]:
        with self.control.session() as session:
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in session.rows(_OF_JOB, [job])]
        return [
            SwitchRecord(
                **row | {
                    "phases_ms": in_order(row["phases_ms"]),
                    "samples": [tuple(sample) for sample in row["samples"]],
                }
            )
            for row in rows
        ]  # fmt: skip

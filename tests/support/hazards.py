"""How many hazardous files the validator finds, and how many harmless ones it suspects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.sql.report import Report
from tests.support.validator_cases import Case, report

RECALL, TEXT_RECALL, FALSE_ALARMS = 0.99, 0.95, 0.03
"""Hazardous files found with the schema and from the text alone; harmless ones suspected."""


@dataclass
class Hazards:
    """Files by what they do: who is found, and who is suspected wrongly.

    Hazardous: copies a table, blocks readers or writers for work that grows, destroys data.
    Harmless: none of these, no bulk change, clients unbroken, `safe` is enough.
    """

    hazardous: int = 0
    found: int = 0
    harmless: int = 0
    suspected: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.hazardous

    @property
    def false_alarms(self) -> float:
        return self.suspected / self.harmless


def hazards(which: Iterable[Case], *, with_schema: bool = True) -> Hazards:
    total = Hazards()
    for case in which:
        expect = case.expect
        if not expect["valid"]:
            continue
        truly = expect["rewrites_table"] or expect["blocks_reads"] or expect["blocks_writes"]
        truly = truly or bool(expect["destructive"])
        said = is_hazardous(report(case, with_schema=with_schema))
        if truly:
            total.hazardous += 1
            total.found += said
        elif expect["needs"] == "safe" and not (expect["bulk_dml"] or expect["breaks_clients"]):
            total.harmless += 1
            total.suspected += said
    return total


def is_hazardous(found: Report) -> bool:
    return bool(
        found.rewrites_tables
        or found.blocks_reads_of
        or found.blocks_writes_of
        or found.destructive
    )


def is_doubted(found: Report) -> bool:
    """Hazardous, or not known to be safe: without a schema no more can be said of a call whose body
    stands elsewhere."""
    return is_hazardous(found) or any(w.rule == "unseen-statement" for w in found.warnings)

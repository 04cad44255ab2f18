"""All cases, in the order in which they stand in the shared file."""

from tests.corpus.case import Case, Refusal
from tests.corpus.cases import (
    columns,
    constraints,
    copies,
    data,
    objects,
    refusals,
    tables,
    types,
    user_types,
)

CASES: tuple[Case, ...] = (
    *columns.CASES,
    *types.CASES,
    *user_types.CASES,
    *constraints.CASES,
    *tables.CASES,
    *objects.CASES,
    *data.CASES,
    *copies.CASES,
)
REFUSALS: tuple[Refusal, ...] = refusals.REFUSALS

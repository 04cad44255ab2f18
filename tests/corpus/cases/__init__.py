"""All cases, in the order in which they stand in the shared file."""

from tests.corpus.case import Case, Refusal
from tests.corpus.cases import (
    columns,
    columns_of_others,
    constraints,
    copies,
    data,
    held_types,
    later_rows,
    objects,
    odd_values,
    refusals,
    tables,
    types,
    user_types,
)

CASES: tuple[Case, ...] = (
    *columns.CASES,
    *columns_of_others.CASES,
    *types.CASES,
    *odd_values.CASES,
    *user_types.CASES,
    *held_types.CASES,
    *constraints.CASES,
    *tables.CASES,
    *objects.CASES,
    *data.CASES,
    *copies.CASES,
)
REFUSALS: tuple[Refusal, ...] = (*refusals.REFUSALS, *later_rows.REFUSALS)

"""Rows are counted, and definitions compared, in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dump.dump_text import CopyRows, DefinitionsDigest

DUMP = rb'''--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: app
--

COPY public.users (id, name) FROM stdin;
1	COPY public.other (id) FROM stdin;
2	a line feed is \n and an end is \\.
3	\\.
\.

COPY public."Odd ""name""" (id) FROM stdin;
\.


COPY public.columnless FROM stdin;


\.

SELECT pg_catalog.setval('public.users_id_seq', 3, true);
'''


@given(st.integers(1, len(DUMP)))
def test_rows_are_counted_whatever_the_pieces(size: int) -> None:
    counted = CopyRows()
    for start in range(0, len(DUMP), size):
        counted.feed(DUMP[start : start + size])
    assert counted.rows == {"public.users": 3, 'public."Odd ""name"""': 0, "public.columnless": 2}


def digest(text: str, size: int = 7) -> str:
    found = DefinitionsDigest()
    for start in range(0, len(text), size):
        found.feed(text.encode()[start : start + size])
    return found.hexdigest()


@pytest.mark.parametrize(
    "noise",
    ["-- Dumped from database version 15.18\n", "\n\n", "\\restrict a\n", "SET a = b;\n"],
)
def test_what_is_no_definition_does_not_count(noise: str) -> None:
    assert digest(f"CREATE TABLE t ();\n{noise}ALTER TABLE t OWNER TO app;\n") == digest(
        "CREATE TABLE t ();\nALTER TABLE t OWNER TO app;\n"
    )


def test_another_definition_has_another_digest() -> None:
    assert digest("CREATE TABLE t ();\n") != digest("CREATE TABLE u ();\n")

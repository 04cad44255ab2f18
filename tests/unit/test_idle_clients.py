"""A client that is idle for hours keeps its connection: neither door ends it.

What the programs do by themselves would: nginx cuts a stream after ten minutes of silence, and the
pooler has limits of its own, which are off unless somebody sets them (their manuals).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.adapters.compose.programs_conf import proxy_conf
from shared.adapters.embedded.doors_conf import nginx_conf, pgbouncer_ini
from shared.adapters.embedded.ports import Ports

PLACE = Path("/run")
POOLER_LIMITS = ("client_idle_timeout", "idle_transaction_timeout", "query_timeout",
                 "transaction_timeout")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [nginx_conf(PLACE, PLACE, Ports(21000), None), proxy_conf(())],
    ids=["embedded", "compose"],
)
def test_nginx_lets_a_stream_be_silent_for_a_day(text: str) -> None:
    stream = text[text.index("stream {") :]
    assert re.findall(r"proxy_timeout (\S+);", stream) == ["24h"], "once, for every server in it"


def test_the_pooler_has_no_limit_on_idle_clients() -> None:
    text = pgbouncer_ini(
        PLACE, port=1, auth_user="asker", auth_query="SELECT 1", administrator="admin"
    )
    names = {line.split(" = ")[0] for line in text.splitlines() if " = " in line}
    assert not names & set(POOLER_LIMITS)

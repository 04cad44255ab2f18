"""What PgBouncer is told of those whom it knows by itself."""

from __future__ import annotations

import re

from shared.adapters.embedded.doors_conf import userlist
from shared.adapters.verifier import fits


def test_an_administrators_secret_stands_there_as_its_verifier_only() -> None:
    text = userlist(asks=("asker", "heard"), administrator=("admin", "never told"))
    users = dict(re.findall(r'^"([^"]+)" "([^"]+)"$', text, re.MULTILINE))
    assert users.keys() == {"asker", "admin"}
    assert users["asker"] == "heard", "with which PgBouncer logs in itself"
    assert "never told" not in text
    assert fits(users["admin"], "never told")

"""What PgBouncer and libpq say, whom no test can make speak at will."""

from __future__ import annotations

import pytest

from shared.adapters.refused_logins import refused_login
from shared.domain.errors import Away, Transient

AT = 'connection failed: connection to server at "127.0.0.1", port 6432 failed: '


@pytest.mark.parametrize(
    ("said", "code", "kind"),
    [
        ("FATAL:  no such user", "28000", Transient),
        ("FATAL:  SASL authentication failed", "28P01", Transient),
        ("FATAL:  no such database: app", "3D000", Transient),
        ("FATAL:  no more connections allowed (max_client_conn)", "53300", Transient),
        ("SSL error: certificate verify failed", "28000", Transient),
        ("SSL SYSCALL error: EOF detected", "08000", Away),
        ("server closed the connection unexpectedly", "08000", Away),
        ("No route to host\n\tIs the server running on that host?", "08001", Away),
        ("FATAL:  the database system is shutting down", "57P03", Away),
        ("FATAL:  the same in another language", "08000", Away),
    ],
)
def test_words_become_a_code(said: str, code: str, kind: type[Transient]) -> None:
    error = refused_login(AT + said)
    assert (type(error), error.code, error.message) == (kind, code, AT + said)
    assert bool(error.remedy) == (kind is Transient)


def test_what_the_second_line_says_counts_too() -> None:
    first, second = AT + "FATAL:  first", AT + 'FATAL:  no pg_hba.conf entry for host "::1"'
    error = refused_login(first, f"{first}\n{second}")
    assert (error.code, error.message) == ("28000", first)

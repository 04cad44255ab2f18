"""Why nobody was let in: libpq keeps the words of a login that failed, and drops the SQLSTATE.

The words are those of a server whose lc_messages is C, as our own servers' are; one that speaks
otherwise is told from none only by being there, and counts as a lost connection (08000).

Source: PostgreSQL 15 to 18, src/backend/libpq/auth.c, postmaster/postmaster.c, utils/init/
postinit.c, src/interfaces/libpq/fe-connect.c; PgBouncer 1.21 to 1.25, src/client.c.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.domain.errors import Away, MigrationError, Transient

LOST = "08000"
ANSWERS_NOT = "08001"
"""Nobody listens there, nothing of that name is known, or who listens says nothing."""
STARTING = "57P03"
"""cannot_connect_now: a server that starts, recovers from a crash, or shuts down."""
NO_LOGIN, WRONG_PASSWORD, NO_DATABASE, FULL = "28000", "28P01", "3D000", "53300"


class Reason(NamedTuple):
    words: str
    code: str
    remedy: str = ""


_REASONS = (
    Reason(r"the database system is (starting up|shutting down|in recovery mode)", STARTING),
    Reason(r"the database system is not (yet )?accepting connections", STARTING),
    Reason(
        r"password authentication failed|SASL authentication failed|wrong password|no password "
        r"supplied",
        WRONG_PASSWORD, "the role's password there is another one than its secret here",
    ),
    Reason(
        r"pg_hba\.conf", NO_LOGIN,
        "its pg_hba.conf must let that role in from here: mend it there, then reload that server",
    ),
    Reason(
        r'role "[^"]*" (does not exist|is not permitted to log in)|no such user', NO_LOGIN,
        "that role must exist there, with LOGIN",
    ),
    Reason(
        r'database "[^"]*" does not exist|no such database', NO_DATABASE,
        "another server answers there, or its database was dropped or renamed",
    ),
    Reason(r"permission denied for database", "42501", "GRANT CONNECT ON DATABASE to that role"),
    Reason(
        r"too many clients already|connection slots are reserved|too many connections|no more "
        r"connections allowed",
        FULL, "end connections there, or raise its max_connections",
    ),
    Reason(
        r"certificate|SSL error|does not support SSL", NO_LOGIN,
        "its TLS certificate, or the authority that we know, is not the right one",
    ),
    Reason(
        r"Connection refused|timeout expired|resolve host|translate host name|No route to host|"
        r"Network is unreachable|invalid port number|No such file or directory",
        ANSWERS_NOT,
    ),
)  # fmt: skip


def refused_login(message: str, said: str = "") -> MigrationError:
    """Our error for a connection that was not made: Away where waiting may help, with the SQLSTATE
    that the server meant, and a remedy where it let us not in. `said` is all of it, where the
    message is only its beginning."""
    for reason in _REASONS:
        if re.search(reason.words, said or message):
            kind = Away if reason.code in (STARTING, ANSWERS_NOT) else Transient
            return kind(message, code=reason.code, remedy=reason.remedy)
    return Away(message, code=LOST)

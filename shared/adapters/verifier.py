"""What PostgreSQL keeps of a password, made here: whoever gives it in a statement shows no secret.

Statements are seen by others: `pg_stat_statements` keeps CREATE ROLE as it was given, for every
member of pg_monitor, and a log may. Source: RFC 5802, section 3; RFC 7677; PostgreSQL manual,
"pg_authid". Our secrets are ASCII, which SASLprep leaves as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode

ITERATIONS = 4096


def fits(kept: str | None, secret: str) -> bool:
    """Whether the server keeps this secret already; another salt would be another verifier, with
    which a pooler that was told this one logs in no more."""
    try:
        method, numbers, _ = (kept or "").split("$")
        iterations, salt = numbers.split(":")
        is_ours = (method, iterations) == ("SCRAM-SHA-256", str(ITERATIONS))
        return is_ours and hmac.compare_digest(kept or "", verifier(secret, b64decode(salt)))
    except ValueError:  # an MD5 hash, no password, or damaged
        return False


def verifier(secret: str, salt: bytes | None = None) -> str:
    """For CREATE ROLE ... PASSWORD, instead of the secret."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    words = [b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{words[0]}${words[1]}:{words[2]}"

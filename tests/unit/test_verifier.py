"""The verifier is that of RFC 7677, section 3: its exchange is checked with our keys."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode

from shared.adapters.verifier import fits, verifier

NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
EXCHANGE = f"n=user,r={NONCE[:20]},r={NONCE},s={SALT},i=4096,c=biws,r={NONCE}".encode()
PROOF = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SIGNATURE = b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_the_exchange_of_the_rfc_holds_with_it() -> None:
    kind, salt, keys = verifier("pencil", b64decode(SALT)).split("$")
    stored, server = (b64decode(key) for key in keys.split(":"))
    assert (kind, salt) == ("SCRAM-SHA-256", f"4096:{SALT}")
    assert hmac.digest(server, EXCHANGE, "sha256") == SIGNATURE
    signature = hmac.digest(stored, EXCHANGE, "sha256")
    client = bytes(one ^ other for one, other in zip(PROOF, signature, strict=True))
    assert hashlib.sha256(client).digest() == stored


def test_the_same_secret_looks_different_each_time() -> None:
    assert verifier("pencil") != verifier("pencil")
    assert "pencil" not in verifier("pencil")


def test_a_secret_is_known_by_what_the_server_keeps_of_it() -> None:
    kept = verifier("pencil")
    assert fits(kept, "pencil")
    last = "E=" if kept.endswith("A=") else "A="
    others = (verifier("pen"), kept[:-2] + last, kept.replace("$4096", "$4097"), "md5aa", "", None)
    for other in (*others, "SCRAM-SHA-256$4096:no base64$x"):
        assert not fits(other, "pencil"), other

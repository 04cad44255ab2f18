"""SQL names and literals, quoted once and in one place; values travel as parameters instead.

Source: PostgreSQL manual, "Identifiers and Key Words" and "String Constants".
"""

from __future__ import annotations


def ident(*parts: str) -> str:
    """Quote a possibly qualified name: `ident("public", "my table")` is `"public"."my table"`.

    Always quotes. Raises ValueError for an empty part or one that holds a zero byte.
    """
    for part in parts:
        if not part or "\x00" in part:
            raise ValueError(f"expected an SQL identifier, found {part!r}")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Quote a string constant, for the places in DDL where a parameter cannot stand."""
    if "\x00" in text:
        raise ValueError("expected text without a zero byte")
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted

"""Reading a migration file from disk: every way in which it can be none has one clear line."""

from __future__ import annotations

import os

import pytest

from shared.adapters.migration_file import LIMIT_BYTES, read_migration
from shared.domain.errors import Refused


def test_a_file_is_its_name_and_text(tmp_path):
    path = tmp_path / "001_é.sql"
    path.write_text("\ufeffSELECT 'ü';\r\n", encoding="utf-8", newline="")
    assert read_migration(path) == ("001_é.sql", "\ufeffSELECT 'ü';\r\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1:1: expected SQL statements, found an empty file"),
        (b" \n\t\n", ":1:1: expected SQL statements, found an empty file"),
        (b"SELECT 1;\nSELECT '\xe9';", ":2:9: expected UTF-8 text, found byte 0xe9"),
        (b"SELECT 1;\nSEL\x00ECT", ":2:4: expected text, found a zero byte"),
        ("SELECT 1".encode("utf-16"), "looks like UTF-16"),
        (b"-" * (LIMIT_BYTES + 1), "expected at most 10,485,760 bytes"),
    ],
)
def test_bad_content_is_refused_with_its_place(tmp_path, content, message):
    path = tmp_path / "m.sql"
    path.write_bytes(content)
    with pytest.raises(Refused) as caught:
        read_migration(path)
    assert message in caught.value.message
    assert caught.value.message.startswith(str(path))
    assert caught.value.remedy


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("", "a directory"), ("pipe", "a named pipe"), ("gone", "no such file")):
        with pytest.raises(Refused, match=message):
            read_migration(tmp_path / name)

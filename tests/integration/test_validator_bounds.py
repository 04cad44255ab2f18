"""Memory is bounded: a file of any shape up to the limit is answered or refused, never killed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MEMORY_BYTES = 1_500_000_000
"""Of address space, the interpreter and its libraries included."""
PROGRAM = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from shared.sql.validate import validate
report = validate({text}, file="f.sql")
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([len(report.operations), len(report.errors), peak_kb]))
"""
MANY = "'ALTER TABLE t ADD COLUMN IF NOT EXISTS a int;\\n' * 100_000"
SHAPES = {
    "100,000 statements": MANY,
    "10 MB in 100,000 statements": (
        "\"INSERT INTO t (a, b, c) VALUES (1, 'some text', now() + interval '1 day' * 30);\\n\""
        " * 100_000"
    ),
    "10 MB in 260,000 statements": "\"INSERT INTO t VALUES (1, 'some text');\\n\" * 260_000",
    "nested parentheses": "'SELECT ' + '(' * 100_000 + '1' + ')' * 100_000",
    "nested blocks": "'SELECT ' + 'CASE WHEN true THEN ' * 3_000 + '1' + ' END' * 3_000",
    "a long sum": "'SELECT ' + '1+' * 50_000 + '1'",
    "one statement of 9 MB": "\"SELECT '\" + 'x' * 9_000_000 + \"'\"",
    "a list of a million numbers": "'SELECT * FROM t WHERE a IN (' + '1,' * 1_000_000 + '1)'",
    "10,000 tables": "''.join(f'CREATE TABLE t{i} (a int);' for i in range(10_000))",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_file_is_answered_within_bounds(text):
    program = PROGRAM.format(memory=MEMORY_BYTES, text=text)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False
    )
    assert ended.returncode == 0, ended.stderr[-500:]
    operations, errors, _peak_kb = json.loads(ended.stdout)
    assert operations or errors

"""A process that gives way runs at that nice value, within its session's group as well."""

from __future__ import annotations

import os
import subprocess
import sys

from shared.adapters.processes import give_way

TELLS = """
import os
from pathlib import Path
group = Path("/proc/self/autogroup")
print(os.nice(0))
print(group.read_text().strip() if group.exists() else "")
"""


def test_others_get_the_processor_first() -> None:
    said = subprocess.run(
        [sys.executable, "-c", TELLS],
        capture_output=True, text=True, check=True, start_new_session=True,
        preexec_fn=lambda: give_way(5),
    ).stdout.split("\n")  # fmt: skip
    assert int(said[0]) == min(19, os.nice(0) + 5)
    assert said[1] == "" or said[1].endswith("nice 5"), "empty where the kernel does not group"

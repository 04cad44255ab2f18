"""Run a program that writes much, so that nobody else's fsync waits for what it has written.

pg_rewind and pg_basebackup fill the kernel's cache as fast as they can and ask for all of it to be
on disk at their end: a commit of the server beside them waits for its own few bytes until then. So
the program writes a little, stands still while that goes to disk, and works again.
Its own fsyncs are left as they are: they find little to do, and durability does not hang on us.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

LOOK_S = REST_S = 0.02
SLICE_BYTES = 4 * 2**20
"""So little that a slow disk takes it in some tens of milliseconds, and then it is free for others.
Counted in bytes, not in time: on a busy host the program must get on as well."""
SMALL_KB = 512
"""Small files are left to the program's end: each would be a commit of the file system's journal,
and together they are little."""

SCRIPT = f"""
place=$1 last=./slice.0 this=./slice.1 before=0 written=0
shift
: >$last
setpriv --pdeathsig CONT "$@" &
work=$!
while sleep {LOOK_S} && [ -e /proc/$work/exe ]; do
  {{ while read -r name n; do
    [ "$name" != wchar: ] || written=$n
  done </proc/$work/io; }} 2>/dev/null
  [ $((written - before)) -ge {SLICE_BYTES} ] && kill -STOP $work || continue
  before=$written
  : >$this
  find "$place" -newer $last -type f -size +{SMALL_KB}k -exec sync -d {{}} + 2>/dev/null
  swap=$last last=$this this=$swap
  sleep {REST_S}
  kill -CONT $work
done
wait $work
"""
"""Told to go on when this shell is killed, the program is never left standing still for ever. One
that has ended and was not waited for has no `exe` any more, but could still be sent signals."""


def in_slices(place: Path, command: Sequence[str]) -> list[str]:
    """`command`, which writes below `place`, run like that: same output, same exit status.

    It needs a working directory of its own that it may write to, and ends with its process group.
    """
    return ["/bin/sh", "-c", SCRIPT, "in_slices", str(place), *command]

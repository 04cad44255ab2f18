"""Keeps new connections of the direct door while no side may serve, and leads them on after it.

A process of its own beside a cutover (`python -m shared.adapters.doors.door_keeper`). Told the
direct door's link, it listens on a socket beside it. While the link leads to that socket, what
connects waits and nothing of it is read; once the link leads elsewhere, what waited is connected
there, and its bytes go through this process as long as that connection lasts. It ends when its
input has ended, the link leads elsewhere and the last such connection is gone. So it outlives the
cutover, and needs nobody's word: where the link leads is the whole truth.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

LOOK_S = 0.002
IDLE_LOOK_S = 0.1
HOLD_LIMIT_S = 60.0
"""A client waits no longer; that of the pooler (query_wait_timeout) is as long."""
PIECE = 65536


class Keeper:
    def __init__(self, link: Path) -> None:
        self.link = link
        self.socket = link.with_name(f"held.{os.getpid()}.sock")
        self.open = 0
        self.told_to_end = False

    async def run(self) -> None:
        server = await asyncio.start_unix_server(self.keep, self.socket, backlog=1024)
        self.socket.chmod(0o666)  # the proxy runs as another user
        listening = asyncio.create_task(self._hear_the_end())
        print(json.dumps({"socket": str(self.socket)}), flush=True)
        try:
            while not self.told_to_end or self.is_holding() or self.open:
                await asyncio.sleep(IDLE_LOOK_S)
        finally:
            server.close()
            listening.cancel()
            self.socket.unlink(missing_ok=True)

    def is_holding(self) -> bool:
        with suppress(OSError):
            return self.link.readlink() == self.socket
        return False

    async def keep(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self._until_led()
            there, away = await asyncio.open_unix_connection(self.link)
            await asyncio.gather(relay(reader, away), relay(there, writer))
        except OSError:
            pass  # the client sees its connection close
        finally:
            writer.close()
            self.open -= 1

    async def _until_led(self) -> None:
        """Raises TimeoutError, an OSError, when nobody leads it on."""
        async with asyncio.timeout(HOLD_LIMIT_S):
            while self.is_holding():
                await asyncio.sleep(LOOK_S)

    async def _hear_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()
        self.told_to_end = True


async def relay(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Bytes one way, until that way ends."""
    with suppress(OSError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
        sink.write_eof()


def main() -> None:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(sys.stdin.fileno(), 1)
        if not piece:
            return
        line += piece
    asyncio.run(Keeper(Path(json.loads(line)["link"])).run())


if __name__ == "__main__":
    main()

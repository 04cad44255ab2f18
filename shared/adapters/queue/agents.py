"""The agents: each is the name of a queue and of a package under `workers`."""

from __future__ import annotations

import os
import sys

AGENTS = ("coordinator", "validator", "backup", "replicator", "proxy-agent", "health-monitor")
THREADS = 4
"""Commands that one process has under way at once; each is short."""


def worker_argv(agent: str, *, module: str = "") -> list[str]:
    """The command line of one worker process of that agent.

    Threads: a command is short and waits for servers, not for the processor. Gossip and mingle are
    for elections and clocks that nothing here needs.
    """
    module = module or f"workers.{agent.replace('-', '_')}.app"
    return [
        sys.executable, "-m", "celery", "--app", module, "worker",
        "--hostname", f"{agent}@%h", "--queues", agent, "--pool", "threads",
        "--concurrency", str(THREADS), "--events", "--without-gossip", "--without-mingle",
        "--loglevel", "INFO",
    ]  # fmt: skip


if __name__ == "__main__":  # `python -m shared.adapters.queue.agents NAME` becomes that worker
    argv = worker_argv(sys.argv[1])
    os.execv(argv[0], argv)

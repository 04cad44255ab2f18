"""Who may do what at Redis: one user per agent, and none without a name.

Keys are those of kombu's Redis transport and of redis_bus, all below one prefix. An agent takes
from its own queue only; whoever may put into the queues of others is listed.
Source: Redis manual, "ACL"; kombu/transport/redis.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from shared.adapters.queue.agents import AGENTS
from shared.adapters.queue.redis_bus import STREAM

PREFIX = "bluegreen:"
SHARED_KEYS = ("unacked*", "_kombu.binding*", STREAM, "pong*", "*.reply.celery.pidbox",
               "*celery.pidbox*", "*celeryev*")  # fmt: skip
FLOWER_KEYS = ("flower_*", "_kombu.binding*", "*celery.pidbox*", "*celeryev*")
SENDERS = ("coordinator", "health-monitor")
"""They put commands, and pings, into every queue; the command line is the coordinator's."""
COMMANDS = (
    "+@all -@admin -@dangerous -@scripting +eval +evalsha +script|load +script|exists"
    " +info +client|setname +client|setinfo +client|id"
)
"""Nothing that ends the server, reads its configuration or empties it."""


def users_acl(secret: Callable[[str], str]) -> str:
    """The text of `users.acl`; passwords stand in it as SHA-256."""
    lines = ["user default off nopass nocommands"]
    for agent in AGENTS:
        queues = AGENTS if agent in SENDERS else (agent,)
        keys = " ".join(f"~{PREFIX}{key}" for key in (*SHARED_KEYS, *(f"{q}*" for q in queues)))
        lines.append(f"user {agent} on #{_digest(secret(agent))} {keys} &* {COMMANDS}")
    # Flower listens, and keeps its own books. It may read how long a queue is, and neither put
    # a command into one nor speak to the workers.
    own = " ".join(f"~{PREFIX}{key}" for key in FLOWER_KEYS)
    lengths = " ".join(f"%R~{PREFIX}{agent}*" for agent in AGENTS)
    flower = f"on #{_digest(secret('flower'))} {own} {lengths} &*"
    lines.append(f"user flower {flower} {COMMANDS} -publish")
    return "\n".join(lines) + "\n"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

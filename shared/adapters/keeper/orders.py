"""What the keeper may be asked: a closed list of orders, each checked before it is obeyed.

An order never carries a command line, an image or a path. Whoever speaks to the keeper can do these
things to the two servers of the pair, and nothing else to the engine.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from psycopg import ProgrammingError, conninfo
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from shared.domain.environment import Colour

RECOVERY = frozenset((
    "primary_conninfo", "primary_slot_name", "recovery_target_lsn", "recovery_target_inclusive",
    "recovery_target_action", "recovery_target_timeline", "hot_standby_feedback",
    "recovery_min_apply_delay",
))  # fmt: skip
"""Never `restore_command` and its like, which a shell runs; but for the one in READ_ON."""
READ_ON = 'cp "/var/lib/postgresql/other/main/pg_wal/%f" "%p"'
"""With this `restore_command` a standby reads the WAL that the other server never sent: it sees
that server's volume read-only (docker-compose.migrations.yml)."""
OPTIONS = frozenset((
    "--source-server", "--dbname", "--slot", "--wal-method", "--checkpoint", "--max-rate",
    "--progress",
))  # fmt: skip
CONNECTION = frozenset((
    "host", "port", "user", "dbname", "passfile", "sslmode", "sslrootcert", "application_name",
))  # fmt: skip
WORD = re.compile(r"[A-Za-z0-9][\w.-]*")


def _recovery(settings: dict[str, str]) -> dict[str, str]:
    if "primary_conninfo" in settings and not _connects(settings["primary_conninfo"]):
        raise ValueError("primary_conninfo names a parameter that the stack does not use")
    if settings.get("restore_command", READ_ON) != READ_ON:
        raise ValueError("the keeper passes on one restore_command, and this is another")
    if unknown := settings.keys() - RECOVERY - {"restore_command"}:
        raise ValueError(f"not a recovery setting: {', '.join(sorted(unknown))}")
    return settings


def _arguments(args: tuple[str, ...]) -> tuple[str, ...]:
    for argument in args:
        if argument not in OPTIONS and not WORD.fullmatch(argument) and not _connects(argument):
            raise ValueError("not an option that the keeper passes on")
    return args


def _connects(argument: str) -> bool:
    """Whether it is a conninfo string of the parameters that the stack uses."""
    try:
        return set(conninfo.conninfo_to_dict(argument)) <= CONNECTION
    except ProgrammingError:
        return False


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    colour: Colour


Limit = Annotated[float, Field(gt=0, le=3600)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,60}$")]


class Look(_Order):
    """State, access level, free disk and use of resources: changes nothing."""

    order: Literal["look"] = "look"


class Start(_Order):
    order: Literal["start"] = "start"
    limit_s: Limit


class Stop(_Order):
    order: Literal["stop"] = "stop"
    mode: Literal["fast", "immediate"]
    limit_s: Limit


class End(_Order):
    """Kill it: afterwards none of its processes is left, and the engine does not start it again."""

    order: Literal["end"] = "end"
    limit_s: Limit


class CommitsAfter(_Order):
    """Commits in the WAL of a server that does not run: changes nothing."""

    order: Literal["commits_after"] = "commits_after"
    lsn: Annotated[str, Field(pattern=r"^[0-9A-F]{1,8}/[0-9A-F]{1,8}$")]


class Reload(_Order):
    order: Literal["reload"] = "reload"


class SetAccess(_Order):
    order: Literal["set_access"] = "set_access"
    level: Literal["open", "closed"]


class SetRecovery(_Order):
    order: Literal["set_recovery"] = "set_recovery"
    settings: Annotated[dict[str, str], AfterValidator(_recovery)]
    standby: bool


class ClearRecovery(_Order):
    order: Literal["clear_recovery"] = "clear_recovery"


class StartDeed(_Order):
    order: Literal["start_deed"] = "start_deed"
    name: Name
    program: Literal["pg_rewind", "pg_basebackup"]
    args: Annotated[tuple[str, ...], AfterValidator(_arguments)]


class LookAtDeed(_Order):
    order: Literal["look_at_deed"] = "look_at_deed"
    name: Name


class ForgetDeed(_Order):
    order: Literal["forget_deed"] = "forget_deed"
    name: Name


Order = Annotated[
    Look | Start | Stop | End | CommitsAfter | Reload | SetAccess | SetRecovery | ClearRecovery
    | StartDeed | LookAtDeed | ForgetDeed,
    Field(discriminator="order"),
]  # fmt: skip
ORDERS: TypeAdapter[Order] = TypeAdapter(Order)
LOOKING = (Look, LookAtDeed, CommitsAfter)
"""Orders that change nothing."""
FENCING = (*LOOKING, End, Start, Reload, SetAccess, SetRecovery, ClearRecovery)
"""What a takeover from a dead server needs: all that is heard on the second socket."""


class Load(BaseModel):
    """What a server's container takes, and what it may take (shared/ports, HostLoad)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cpu_seconds: float
    cores: int
    memory_bytes: int
    memory_available_bytes: int
    memory_total_bytes: int


class NodeState(BaseModel):
    """The answer to `look`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    running: bool
    access: Literal["open", "closed"]
    free_disk_bytes: int
    load: Load | None = None
    """None: it does not run, or the engine's cgroups do not tell."""
    health: str = ""
    """What the engine's health check says: `healthy`, `unhealthy`, `starting`."""

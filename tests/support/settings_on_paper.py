"""Settings of a stack that is not there, for what only reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from shared.domain.environment import Colour
from shared.settings import (
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)

Driver = Literal["local", "docker", "remote"]


def settings_on_paper(folder: Path, blue: Driver = "local", green: Driver = "local") -> Settings:
    """Every address is one at which nobody listens; every path is below `folder`."""
    nodes = {
        colour: NodeSettings(
            colour=colour, driver=driver, host="127.0.0.1", port=1, cluster_name=colour.value
        )
        for colour, driver in zip(Colour, (blue, green), strict=True)
    }
    return Settings(
        state_dir=folder, database="app", application_role="app", nodes=nodes,
        control=ServerSettings(host="127.0.0.1", port=1, database="none", user="none"),
        redis=RedisSettings(host="127.0.0.1", port=1),
        pooler=PoolerSettings(host="127.0.0.1", port=1, route_file=folder / "route"),
        doors=DoorSettings(host="127.0.0.1", pooled_port=1, direct_port=2, direct_link=folder),
        secrets_dir=folder, backup_dir=folder,
    )  # fmt: skip

"""Prepare one server of a pair that Bluegreen did not make (docs/managed-servers.md).

    python -m shared.adapters.standing.prepare_server green --rests

Reads the settings that BLUEGREEN_CONFIG or BLUEGREEN_STATE_DIR names, and connects as the node's
administrator, whose password is a secret like all others. May be repeated.
"""

from __future__ import annotations

import argparse
import os
import sys

from shared.adapters.postgres import connect
from shared.adapters.standing import managed
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.settings import Settings, load

LIMIT_S = 60.0


def prepare_server(settings: Settings, colour: Colour, *, superuser: bool, rests: bool) -> None:
    """Raises what the server says when the administrator may not give one of the rights."""
    node = settings.nodes[colour]
    with connect(
        host=node.host,
        port=node.port,
        database=settings.database,
        user=node.administrator,
        password=settings.secret(node.administrator),
        limit_s=LIMIT_S,
        application_name="bluegreen/prepare",
    ) as session:
        managed.prepare(
            session,
            settings.secret,
            application_role=settings.application_role,
            administrator=node.administrator,
            exempt_roles=settings.exempt_roles,
            superuser=superuser,
            rests=rests,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="prepare a server for Bluegreen")
    parser.add_argument("side", type=Colour, choices=list(Colour))
    parser.add_argument("--rests", action="store_true", help="it does not serve: close it")
    parser.add_argument("--superuser", action="store_true", help="bg_owner and bg_replicator are")
    asked = parser.parse_args()
    try:
        settings = load(os.environ)
        prepare_server(settings, asked.side, superuser=asked.superuser, rests=asked.rests)
    except MigrationError as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}\n")
        return 1
    sys.stdout.write(f"{asked.side} is prepared{' and closed' if asked.rests else ''}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

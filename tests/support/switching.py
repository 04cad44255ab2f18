"""What the cutover does to the two servers, without doors, watchdog and probe."""

from __future__ import annotations

from shared.domain.environment import Colour
from tests.support.pair import Pair
from tests.support.wait import until


def switch(servers: Pair, source: Colour = Colour.BLUE) -> None:
    target = source.other
    servers.run(source, "SELECT bluegreen.fence(); SELECT bluegreen.write_marker('the last')")
    arrived = "SELECT 1 FROM bluegreen_job.marker WHERE token = 'the last'"
    until(lambda: servers.value(target, arrived), limit_s=10, what=f"{target} has everything")
    servers.run(target, "ALTER SUBSCRIPTION bluegreen_forward DISABLE", user="bg_replicator")
    servers.run(target, "SELECT bluegreen_job.to_final()", user="bg_replicator")
    servers.run(source, "SELECT bluegreen_job.to_final()", user="bg_replicator")
    slot = "SELECT pg_create_logical_replication_slot('bluegreen_reverse', 'pgoutput')"
    servers.run(target, slot)
    servers.run(source, "ALTER SUBSCRIPTION bluegreen_reverse ENABLE", user="bg_replicator")
    servers.run(target, "SELECT bluegreen.lift()")

"""What is wrong before a pause is said before it: nobody is held."""

from __future__ import annotations

import resource

import pytest

from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.errors import Refused, Transient
from tests.support.cutover_switch import order, switch_of
from tests.support.wired_pair import Pair, watched

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("blue_serves")]


def test_a_console_that_does_not_let_us_in_is_said_before_the_pause(pair: Pair) -> None:
    stranger = pair.settings.pooler.model_copy(update={"admin_user": "app"})
    settings = pair.settings.model_copy(update={"pooler": stranger})
    with watched(pair), pytest.raises((Transient, Refused), match=r"admin console|SHOW DATABASES"):
        switch_of(pair.world, pooler=PgBouncer(settings)).run(order(*pair.next))


def test_a_route_directory_that_cannot_be_written_is_said_before_the_pause(pair: Pair) -> None:
    elsewhere = pair.settings.pooler.model_copy(
        update={"route_file": pair.world.root / "pgbouncer.ini" / "route.ini"}
    )
    settings = pair.settings.model_copy(update={"pooler": elsewhere})
    with watched(pair), pytest.raises(Refused, match="write the pooler's route"):
        switch_of(pair.world, pooler=PgBouncer(settings)).run(order(*pair.next))


def test_a_full_disk_under_the_route_is_said_before_the_pause(pair: Pair) -> None:
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    with watched(pair):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, kept[1]))  # any write to a file fails
        try:
            with pytest.raises(Refused, match="found File too large"):
                switch_of(pair.world).run(order(*pair.next))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, kept)


def test_a_new_side_that_lets_nobody_in_is_said_before_the_pause(pair: Pair) -> None:
    pair.wire.cut()
    try:
        with watched(pair), pytest.raises(Transient):
            switch_of(pair.world, nodes=addressed_nodes(pair.settings, "bg_proxy")).run(
                order(*pair.next)
            )
    finally:
        pair.wire.mend()

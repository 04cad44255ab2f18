"""A standby takes over only where two signals agree and nothing speaks against it."""

from dataclasses import replace

import pytest

from shared.domain.environment import Colour
from shared.domain.failover import STARTING_LIMIT_S, Evidence, judge

DEAD = Evidence(
    active=Colour.BLUE, silent_s=5, starting_s=0, standby_answers=True, standby_follows=True,
    standby_took_over=False, replay_paused=False, stream_lost=True, ha_manager="", can_fence=True,
)  # fmt: skip


@pytest.mark.parametrize(("policy", "act"), [("off", "wait"), ("ask", "ask"), ("auto", "promote")])
def test_a_dead_server_with_a_standby_is_left_to_the_policy(policy: str, act: str) -> None:
    assert judge(DEAD, policy, after_s=3).act == act  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "act", "says"),
    [
        ({"silent_s": 2.0}, "wait", "not been silent for long"),
        ({"stream_lost": False}, "wait", "still streams to green"),
        ({"starting_s": 1.0}, "wait", "starting"),
        ({"starting_s": STARTING_LIMIT_S + 1}, "promote", "streams no more"),
        ({"ha_manager": "Patroni"}, "refuse", "Patroni looks after it"),
        ({"standby_answers": False}, "refuse", "green does not answer either"),
        ({"standby_follows": False}, "refuse", "serves a job"),
        ({"replay_paused": True}, "refuse", "way back of a maintenance"),
        ({"can_fence": False}, "refuse", "no way to its host"),
        ({"standby_follows": False, "standby_took_over": True}, "promote", "has taken over"),
    ],
)
def test_what_speaks_against_it(changed: dict[str, object], act: str, says: str) -> None:
    verdict = judge(replace(DEAD, **changed), "auto", after_s=3)  # type: ignore[arg-type]
    assert (verdict.act, says in verdict.says) == (act, True), verdict


def test_another_manager_wins_over_every_policy() -> None:
    seen = replace(DEAD, ha_manager="repmgr", standby_took_over=True)
    assert judge(seen, "auto", after_s=3).act == "refuse"

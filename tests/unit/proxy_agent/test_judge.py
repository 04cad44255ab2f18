"""The commit protocol, run through every interleaving of a cutover and those who settle it.

The model is small: two records, two fences, one route. The cutover may stop for ever between any
two of its acts, or go on at any later time; a settler looks, may be frozen, and acts on what it
saw. Every state that can be reached is visited, and the laws are asked in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pytest

from workers.proxy_agent.judge import TABLE, UNREACHABLE, Act, next_act

STATES = ("open", "committed", "burnt", UNREACHABLE)


@dataclass(frozen=True)
class World:
    new: str = "open"
    old: str = "open"
    new_fenced: bool = True
    old_fenced: bool = False
    route: str = "old"
    new_answers: bool = True


@dataclass(frozen=True)
class Cutover:
    """Where the cutover's own process stands; `settling` is when something went wrong."""

    at: str = "fence"


@dataclass(frozen=True)
class Settler:
    """What one who settles decided at its last look; None before a look."""

    act: Act | None = None
    done: bool = False


State = tuple[World, Cutover, Settler, Settler]


def cutover_moves(world: World, cutover: Cutover) -> Iterator[tuple[World, Cutover]]:
    """One act of the cutover, each a transaction of the standing schema or one write of a route."""
    if cutover.at == "fence":
        fenced = replace(world, old_fenced=True) if world.old == "open" else world
        yield fenced, Cutover("commit" if world.old == "open" else "settling")
    elif cutover.at == "commit" and world.new_answers:
        if world.new == "open":
            yield replace(world, new="committed", new_fenced=False), Cutover("consent")
        else:
            yield world, Cutover("settling")
    elif cutover.at == "consent":
        if world.old == "open":
            yield replace(world, old="committed"), Cutover("route")
        elif world.old == "committed":
            yield world, Cutover("route")
        else:
            yield world, Cutover("settling")
    elif cutover.at == "route":
        yield replace(world, route="new"), Cutover("done")


def settle_moves(world: World, settler: Settler, *, asks: bool) -> Iterator[tuple[World, Settler]]:
    """A look, or the act that the last look led to. `asks`: whether the new side answers it."""
    if settler.done:
        return
    if settler.act is None:
        act = next_act(world.new if asks else UNREACHABLE, world.old)
        if act is Act.GIVE_BACK_OLD and not asks and world.route != "old":
            return
        if act is not Act.WAIT:
            yield world, Settler(act)
        return
    for after in acted(world, settler.act, asks=asks):
        final = settler.act in (Act.GO_FORWARD, Act.GO_BACK)
        yield after, Settler(done=final)


def acted(world: World, act: Act, *, asks: bool) -> Iterator[World]:
    if act is Act.BURN_NEW and asks:
        yield replace(world, new="burnt") if world.new == "open" else world
    elif act is Act.GIVE_BACK_OLD:
        given = replace(world, old="burnt", old_fenced=False)
        yield given if world.old != "committed" else world
    elif act is Act.CONSENT:
        yield replace(world, old="committed") if world.old == "open" else world
    elif act is Act.REVOKE and asks:
        yield replace(world, new="burnt", new_fenced=True)
    elif act is Act.GO_FORWARD:
        yield replace(world, route="new")
    elif act is Act.GO_BACK:
        yield replace(world, route="old")
    assert act is not Act.STOP


def moves(state: State, *, cuts: bool) -> Iterator[State]:
    world, cutover, first, second = state
    if cuts:
        yield replace(world, new_answers=not world.new_answers), cutover, first, second
    for after, moved in cutover_moves(world, cutover):
        yield after, moved, first, second
    for after, settler in settle_moves(world, first, asks=world.new_answers):
        yield after, cutover, settler, second
    for after, settler in settle_moves(world, second, asks=world.new_answers):
        yield after, cutover, first, settler


def reachable(*, cuts: bool) -> set[State]:
    start: State = (World(), Cutover(), Settler(), Settler())
    seen, ask = {start}, [start]
    while ask:
        for state in moves(ask.pop(), cuts=cuts):
            if state not in seen:
                seen.add(state)
                ask.append(state)
    return seen


def test_the_table_answers_every_pair() -> None:
    assert set(TABLE) == set(product(STATES, STATES))


def test_never_are_both_sides_open_while_both_can_be_asked() -> None:
    for world, *_ in reachable(cuts=False):
        assert world.old_fenced or world.new_fenced


def test_never_does_a_door_lead_to_the_new_side_while_the_old_one_is_open() -> None:
    """Also where the new side stops and begins to answer at any moment."""
    for world, *_ in reachable(cuts=True):
        assert not (world.route == "new" and not world.old_fenced)


@pytest.mark.parametrize("cuts", [False, True])
def test_whoever_settled_left_one_side_open_and_the_doors_leading_to_it(cuts: bool) -> None:
    ends = set()
    for world, cutover, first, second in reachable(cuts=cuts):
        if first.done and second.done and cutover.at in ("done", "settling", "fence"):
            serves = world.old_fenced if world.route == "new" else not world.old_fenced
            assert serves
            ends.add(world.route)
    assert ends == {"old", "new"}


def test_from_everywhere_an_end_can_be_reached() -> None:
    """No state is a trap: with both sides answering, a settler that looks again comes through."""
    for world, *_ in reachable(cuts=True):
        now, settler = replace(world, new_answers=True), Settler()
        for _ in range(12):
            if settler.done:
                break
            now, settler = next(iter(settle_moves(now, settler, asks=True)))
        assert settler.done, world

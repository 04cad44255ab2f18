"""One job that carries many cases forward, back and forward again, and what each of them found.

forward        rows and definitions of the target are those of a plain run of file and writes
window         the source has, in the old shape, what was written in the new one
back           so it is when the source serves again, and its schema is the one it had
forward again  as forward, and after `finish` every definition is the plain run's too
rest           the old side is the standby again, and nothing of the job is left: so the next job
               may begin where this one ended, with the roles swapped
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.corpus.case import Case
from tests.corpus.ground import Ground
from tests.corpus.load import Load
from tests.corpus.played import Played
from tests.corpus.reference import Reference, create
from tests.corpus.same import SHOWN_ROWS, same_definitions, same_rows
from tests.corpus.stage import Stage
from workers.proxy_agent.attempt import Way

InSync = Callable[[Stage, Load, Played], None]


def job_file(cases: Sequence[Case]) -> str:
    return "".join(case.section() for case in cases)


def play(
    ground: Ground,
    cases: Sequence[Case],
    in_sync: InSync = lambda stage, load, played: None,
) -> Played:
    """`in_sync` is called when green follows, under load, before the first cutover."""
    played = Played(ground.version, cases)
    file = job_file(cases)
    here: Stage | None = None
    try:
        with played.timed("servers"):
            here, beside = ground.ready()
            beside.begin(cases, file)
            for case in cases:
                here.servers.run(here.source, create(case), user="app")
        _play(here, beside, played, file, in_sync)
        with played.timed("rest"):
            played.general += [f"the job left: {what}" for what in here.rest()]
    except Exception as error:
        played.broke_down(error, "no server stands" if here is None else here.all_last_words())
    if not played.is_sound:
        ground.clear()
    return played


def _play(here: Stage, beside: Reference, played: Played, file: str, in_sync: InSync) -> None:
    with Load(here.dsn, played.cases, here.shapes) as load:
        with played.timed("rehearse"):
            here.rehearse(file, accept_lossy_rollback=any(c.lossy for c in played.cases))
        with played.timed("climb"):
            here.climb()
        load.rounds("old")
        in_sync(here, load, played)
        with played.timed("compare"):
            _compare(here, played)
        for again in (False, True):
            with played.timed("forward again" if again else "forward"):
                played.note_switch(here.switch(Way.FORWARD).window_ms)
                load.rounds("new")
            with load.quiet(), played.timed("look again" if again else "look"):
                _look_at_both(here, beside, load, played, "forward again" if again else "forward")
            if again:
                break
            with played.timed("back"):
                played.note_switch(here.switch(Way.BACK).window_ms)
                load.rounds("old")
                here.settle()
            with load.quiet(), played.timed("look back"):
                beside.follow(load)
                same_rows(here, beside, played, here.source, "back")
                same_definitions(here, beside, played, here.source, "back")
            with played.timed("rederive"):
                here.rederive()
                _compare(here, played)
        with played.timed("finish"):
            here.do("finish")
            load.rounds("new")
    with played.timed("look at the end"):
        same_definitions(here, beside, played, here.target, "finish")
    _count(load, played)


def _look_at_both(here: Stage, beside: Reference, load: Load, played: Played, when: str) -> None:
    """Nobody writes, the target serves."""
    here.caught_up(here.target)
    beside.follow_until_switch(load)
    beside.migrate()
    beside.use(load)
    same_rows(here, beside, played, here.target, when)
    beside.follow(load)
    same_rows(here, beside, played, here.source, f"{when}, in the window", in_window=True)


def _compare(here: Stage, played: Played) -> None:
    found = here.compare()
    played.facts["rowsCompared"] = found.rows_compared
    for case in played.cases:
        if not case.lossy:
            lost = {name: n for name, n in found.lossy.items() if name.startswith(f"{case.name}.")}
            if lost:
                played.blame(case, f"a rollback would lose {lost}")


def _count(load: Load, played: Played) -> None:
    """Promise: no transaction of the application fails."""
    written = [each for writer in load.writers.values() for each in writer.written]
    played.facts["transactions"] = len(written)
    played.facts["longestMs"] = round(max((each.took_ms for each in written), default=0.0), 1)
    for case in played.cases:
        for failure in load.writers[case.name].failed[:SHOWN_ROWS]:
            played.blame(case, f"a transaction of the application failed: {failure}")

"""One job that carries many cases forward, back and forward again, and what each of them found.

forward        rows and definitions of the target are those of a plain run of file and writes
window         the source has, in the old shape, what was written in the new one
back           so it is when the source serves again, and its schema is the one it had
forward again  as forward, and after `finish` every definition is the plain run's too
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from shared.domain.environment import Colour
from shared.mapping.model import Mapping
from shared.mapping.name_states import Name
from tests.corpus.case import Case
from tests.corpus.load import Load
from tests.corpus.reference import (
    NEW,
    OLD,
    Contents,
    Reference,
    by_schema,
    contents,
    copies,
    create,
    reference,
    sorted_rows,
)
from tests.corpus.stage import Stage, stage
from tests.support.pair import BLUE, GREEN
from workers.proxy_agent.attempt import Way

ColumnsOf = MappingOf[str, Sequence[str]]
NamesOf = dict[str, tuple[str, Sequence[str]]]
SHOWN_ROWS = 3
SHOWN_LINES = 6
SHOWN_CHARACTERS = 40
Row = tuple[str | None, ...]
SHAPES = {"blue": "old", "green": "new"}


@dataclass
class Played:
    """What one job found: problems by case, and those of nobody in particular."""

    version: int
    cases: Sequence[Case]
    problems: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def blame(self, case: Case, what: str) -> None:
        self.problems.setdefault(case.name, []).append(what)

    def broke_down(self, error: BaseException, words: str) -> None:
        """The job did not come to its end: the cases that the error names are to blame, the others
        were not seen to pass either. `words`: what the servers' logs said last."""
        text = f"{type(error).__name__}: {error}"
        for case in self._named(text) or self._named(words):
            self.blame(case, f"{text}; {words}")
        self.general.append(f"{text}; {words}")

    def _named(self, text: str) -> list[Case]:
        found = [case for case in self.cases if re.search(rf"\b{case.name}\b", text)]
        if found:
            return found
        lines = [int(number) for number in re.findall(r"(?:line |\.sql:)(\d+)", text)[:1]]
        return [case for line in lines for case in [self._at(line)] if case is not None]

    def _at(self, line: int) -> Case | None:
        """The case whose section of the file holds that line."""
        for case in self.cases:
            line -= case.section().count("\n")
            if line <= 0:
                return case
        return None

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - began, 2)

    @property
    def passed(self) -> list[str]:
        if self.general:
            return []
        return [case.name for case in self.cases if case.name not in self.problems]


def job_file(cases: Sequence[Case]) -> str:
    return "".join(case.section() for case in cases)


def play(
    version: int,
    cases: Sequence[Case],
    in_sync: Callable[[Stage, Load, Played], None] = lambda stage, load, played: None,
) -> Played:
    """`in_sync` is called when green follows, under load, before the first cutover."""
    played = Played(version, cases)
    file = job_file(cases)
    with ExitStack() as stack:
        here: Stage | None = None
        try:
            with played.timed("servers"):
                here = stack.enter_context(stage(version))
                beside = stack.enter_context(reference(version, cases, file))
                for case in cases:
                    here.servers.run(BLUE, create(case), user="app")
            _play(here, beside, played, file, in_sync)
        except Exception as error:
            played.broke_down(error, _last_words(here))
    return played


def _last_words(here: Stage | None) -> str:
    if here is None:
        return "the servers did not start"
    return f"blue: {here.last_words(BLUE)}; green: {here.last_words(GREEN)}"


def _play(
    here: Stage,
    beside: Reference,
    played: Played,
    file: str,
    in_sync: Callable[[Stage, Load, Played], None],
) -> None:
    with Load(here.dsn, played.cases, SHAPES) as load:  # type: ignore[arg-type]
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
                _note_switch(played, here.switch(Way.FORWARD).window_ms)
                load.rounds("new")
            with load.quiet(), played.timed("look again" if again else "look"):
                _look_at_both(here, beside, load, played, "forward again" if again else "forward")
            if again:
                break
            with played.timed("back"):
                _note_switch(played, here.switch(Way.BACK).window_ms)
                load.rounds("old")
                here.settle()
            with load.quiet(), played.timed("look back"):
                beside.follow(load)
                _same_rows(here, beside, played, BLUE, "back")
                _same_definitions(here, beside, played, BLUE, "back")
            with played.timed("rederive"):
                here.rederive()
                _compare(here, played)
        with played.timed("finish"):
            here.do("finish")
            load.rounds("new")
    _same_definitions(here, beside, played, GREEN, "finish")
    _count(load, played)


def _look_at_both(here: Stage, beside: Reference, load: Load, played: Played, when: str) -> None:
    """Nobody writes, the target serves."""
    here.caught_up(GREEN)
    beside.follow_until_switch(load)
    beside.migrate()
    beside.use(load)
    _same_rows(here, beside, played, GREEN, when)
    beside.follow(load)
    _same_rows(here, beside, played, BLUE, f"{when}, in the window", in_window=True)


def _compare(here: Stage, played: Played) -> None:
    found = here.compare()
    played.facts["rowsCompared"] = found.rows_compared
    for case in played.cases:
        if not case.lossy:
            lost = {name: n for name, n in found.lossy.items() if name.startswith(f"{case.name}.")}
            if lost:
                played.blame(case, f"a rollback would lose {lost}")


def names_in_window(mapping: Mapping, case: Case, columns: ColumnsOf) -> NamesOf:
    """What the source calls its own tables and columns while the target serves."""
    found: NamesOf = {}
    for table in mapping.tables:
        if table.sync.namespace == case.name and table.sync.name in columns:
            ours = {c.sync: c.final for c in table.columns if c.on_source}
            listed = [ours[name] for name in columns[table.sync.name]]
            found[table.sync.name] = (table.final.sql, listed)
    for name in set(columns) - set(found):
        found[name] = (Name(case.name, name).sql, columns[name])  # dropped by the file
    return found


def values_of_sync(mapping: Mapping, case: Case, found: Contents) -> Contents:
    """Values of enum types that have another name there, under their own one."""
    labels = {
        each.final: each.sync
        for each in mapping.relabelled
        if each.sync_type.startswith(f"{case.name}.")
    }
    return {
        table: sorted_rows([tuple(labels.get(v or "", v) for v in row) for row in rows])
        for table, rows in found.items()
    }


def _same_rows(
    here: Stage,
    beside: Reference,
    played: Played,
    colour: Colour,
    when: str,
    *,
    in_window: bool = False,
) -> None:
    database = NEW if colour is GREEN else OLD
    for case in played.cases:
        columns = beside.columns(database, case)
        expected = beside.contents(database, case)
        try:
            names = names_in_window(here.mapping, case, columns) if in_window else None
            found = contents(here.server(colour), "app", case, columns, names)
            if in_window:
                found = values_of_sync(here.mapping, case, found)
        except Exception as error:
            played.blame(case, f"{when}: {error}")
            continue
        for problem in differences(expected, found):
            played.blame(case, f"{when}: {problem}")


def differences(expected: Contents, found: Contents) -> list[str]:
    """A sentence for each table whose rows are not the same."""
    told = []
    for table, rows in expected.items():
        if rows == found[table]:
            continue
        lack = [_shown(row) for row in rows if row not in found[table]][:SHOWN_ROWS]
        more = [_shown(row) for row in found[table] if row not in rows][:SHOWN_ROWS]
        told.append(
            f"{table}: expected {len(rows)} rows, found {len(found[table])}; not found {lack};"
            f" not expected {more}"
        )
    return told


def _shown(row: Row) -> Row:
    return tuple(value if value is None else value[:SHOWN_CHARACTERS] for value in row)


def _same_definitions(
    here: Stage, beside: Reference, played: Played, colour: Colour, when: str
) -> None:
    expected = beside.definitions(NEW if colour is GREEN else OLD)
    found = by_schema(copies(here.server(colour), "bg_replicator").dump("app"))
    names = {case.name: case for case in played.cases}
    for schema in expected.keys() | found.keys():
        left, right = expected.get(schema, []), found.get(schema, [])
        lack = [line for line in left if line not in right][:SHOWN_LINES]
        more = [line for line in right if line not in left][:SHOWN_LINES]
        if left == right:
            continue
        told = f"{when}: definitions differ: lacks {lack}, has {more}"
        if schema in names:
            played.blame(names[schema], told)
        elif schema != "public":
            played.general.append(f"schema {schema}: {told}")


def _note_switch(played: Played, window_ms: float) -> None:
    windows = played.facts.setdefault("windowsMs", [])
    assert isinstance(windows, list)
    windows.append(window_ms)


def _count(load: Load, played: Played) -> None:
    """Promise: no transaction of the application fails."""
    written = [each for writer in load.writers.values() for each in writer.written]
    played.facts["transactions"] = len(written)
    played.facts["longestMs"] = round(max((each.took_ms for each in written), default=0.0), 1)
    for case in played.cases:
        for failure in load.writers[case.name].failed[:SHOWN_ROWS]:
            played.blame(case, f"a transaction of the application failed: {failure}")

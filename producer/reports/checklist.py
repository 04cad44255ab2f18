"""The three checklists of a migration (before, during, after), each line with what was measured.

Pure: it reads the document of a report (document.py). What nobody measured is said to be so, and is
never ticked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from producer.render import duration
from shared.domain.counted import counted

State = Literal["ok", "failed", "open", "not needed"]
MARKS: Mapping[str, str] = {"ok": "x", "failed": "!", "open": " ", "not needed": "-"}
Body = Mapping[str, Any]


class Line(NamedTuple):
    section: Literal["before", "during", "after"]
    item: str
    state: State
    answer: str


def checklist(body: Body) -> list[Line]:
    """Every line, in order."""
    steps = {step["name"]: step for step in body["steps"]}
    return [
        Line("before", "tested", *_tested(steps)),
        Line("before", "backup verified", *_backup(body)),
        Line("before", "health baseline", *_step(steps, "preflight", "preflight was not reached")),
        Line("before", "way back", *_way_back(body)),
        Line("before", "team told", *_told(body)),
        Line("during", "health checks", *_step(steps, "confirm", "nothing was changed to confirm")),
        Line("during", "application", *_application(body)),
        Line("during", "rollback window", *_window(body, steps)),
        Line("during", "issues", *_issues(body)),
        Line("after", "data integrity", *_integrity(body, steps)),
        Line("after", "performance", *_performance(body, steps)),
        Line("after", "old environment", *_clean(body, steps)),
        Line("after", "documentation", "ok", f"`bluegreen report {body['job']}`"),
    ]


def checklist_document(body: Body) -> list[dict[str, str]]:
    return [line._asdict() for line in checklist(body)]


def checklist_lines(lines: Sequence[Line]) -> Iterator[str]:
    """For a terminal, and as Markdown's task list."""
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            yield f"{section.capitalize()} the migration"
        yield f"- [{MARKS[line.state]}] {line.item}: {line.answer}"


def _step(steps: Mapping[str, Body], name: str, without: str) -> tuple[State, str]:
    step = steps.get(name)
    if step is None:
        return "open", without
    if step["state"] == "undone":  # its sentence tells of the undo
        return "ok", "passed, before the job was taken back"
    return _state(step), step["sentence"] or step["state"]


def _state(step: Body) -> State:
    return {"done": "ok", "failed": "failed"}.get(step["state"], "open")  # type: ignore[return-value]


def _tested(steps: Mapping[str, Body]) -> tuple[State, str]:
    if "rehearse" in steps:
        state, said = _step(steps, "rehearse", "")
        return state, f"run on empty copies of the live schema: {said}"
    state, said = _step(steps, "validate", "not validated")
    return state, f"validated against the live schema: {said}; not run elsewhere"


def _backup(body: Body) -> tuple[State, str]:
    point = body["rollbackPoint"]
    if point is None:
        return "open", "no rollback point (`--backup none`, or not reached)"
    if not point["verified"]:
        return "open", f"{point['path']} was not verified"
    return "ok", f"{point['scope']}, restored elsewhere, {point['rows']:,} rows counted"


def _way_back(body: Body) -> tuple[State, str]:
    kind, job = body["type"], body["job"]
    if body["outcome"] == "rolled_back":
        return "ok", "it was gone: everything is as it was"
    if body["outcome"] == "refused":
        return "not needed", "nothing was changed"
    if kind == "risky":
        return "ok", f"`bluegreen rollback {job}` until `finish`, without losing a write"
    if kind == "maintenance":
        return "ok", f"the held standby until clients go on: `bluegreen abort {job}`"
    if body["rollbackPoint"] is None:
        return "open", "none but a file of your own"
    return "ok", "the transaction of each part; then the rollback point, or a file of your own"


def _told(body: Body) -> tuple[State, str]:
    told: Sequence[str] = body["announcements"]
    if told:
        return "ok", f"{counted(len(told), 'announcement')}: {told[0]}"
    if body["type"] == "maintenance":
        return "open", "nothing was announced"
    return "not needed", "nobody is held"


def _application(body: Body) -> tuple[State, str]:
    downtime, switches = body["downtime"], body["switches"]
    if downtime is not None:
        took = "still held" if downtime["seconds"] is None else duration(downtime["seconds"])
        return "ok" if downtime["seconds"] is not None else "open", f"downtime {took}"
    if not switches:
        return "not needed", "traffic was not switched"
    last = switches[-1]
    if last["failedTransactions"] is None:
        return "open", f"{last['direction']} in {last['windowMs']:.0f} ms, no probe was running"
    failed = last["failedTransactions"]
    state: State = "failed" if failed else "ok"
    return state, f"{last['direction']}: {failed} failed, longest wait {last['longestMs']:.0f} ms"


def _window(body: Body, steps: Mapping[str, Body]) -> tuple[State, str]:
    if body["type"] != "risky":
        return "not needed", "only a risky migration has one"
    step = steps.get("hold_rollback_window")
    if step is None:
        return "open", "not reached"
    if step["seconds"] is None:
        return "open", "still open"
    return "ok", f"open for {duration(step['seconds'])}, then {body['outcome'] or step['state']}"


def _issues(body: Body) -> tuple[State, str]:
    found = [
        f"{step['name']} failed"
        if step["state"] == "failed"
        else f"{step['name']} at attempt {step['attempts']}"
        for step in body["steps"]
        if step["state"] == "failed" or step["attempts"] > 1
    ]
    return ("failed", ", ".join(found)) if found else ("ok", "every step at its first attempt")


def _integrity(body: Body, steps: Mapping[str, Body]) -> tuple[State, str]:
    verdict = body["comparison"]
    if verdict is not None:
        different = verdict["rowsDifferent"]
        said = f"{verdict['rowsCompared']:,} rows compared, {different} different"
        return ("failed" if different else "ok"), said
    if body["type"] == "risky":
        return "open", "no rows were compared"
    applied = steps.get("apply_on_active")
    if applied is None or applied["state"] != "done":
        return "not needed", "the file was not applied, or it was taken back"
    return "ok", "the file ran in place, and the server committed it: nothing to compare"


def _performance(body: Body, steps: Mapping[str, Body]) -> tuple[State, str]:
    switches = body["switches"]
    if switches and switches[-1]["baselineMs"]["p50"] is not None:
        base = switches[-1]["baselineMs"]
        usual = f"before p50 {base['p50']:.1f} ms, p99 {base['p99']:.1f} ms"
        state, said = _step(steps, "confirm", "not confirmed")
        return state, f"{usual}; {said}"
    return _step(steps, "confirm", "not measured: it did not come so far")


def _clean(body: Body, steps: Mapping[str, Body]) -> tuple[State, str]:
    if body["type"] == "safe":
        return "not needed", "there was no second environment"
    last = steps.get("restore_standby") or steps.get("finish")
    if body["outcome"] == "rolled_back":
        return "ok", "everything is undone"
    if body["outcome"] == "refused":
        return "not needed", "there was none: nothing was changed"
    if last is None or last["state"] != "done":
        return "open", "not yet"
    return "ok", last["sentence"] or "done"

"""The report of a job as Markdown, for a pull request or a change record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from producer.render import details_removed, duration
from producer.reports.checklist import Line, checklist_lines
from producer.reports.switch_text import text_picture
from shared.domain.counted import counted
from shared.ports import SwitchRecord


def markdown(body: Mapping[str, Any], switches: Sequence[SwitchRecord] = ()) -> str:
    """The document of a report, in the order in which a reader asks; with `switches`, a picture of
    each."""
    return "\n".join(_lines(body, switches)) + "\n"


def _lines(body: Mapping[str, Any], switches: Sequence[SwitchRecord]) -> Iterator[str]:
    yield f"# {body['file']}: {(body['outcome'] or 'still running').replace('_', ' ')}"
    yield ""
    ended = _moment(body["endedAt"]) if body["endedAt"] else "now"
    yield f"Job `{body['job']}`, {body['type']}, {_moment(body['startedAt'])} to {ended}."
    if body["sentence"]:
        yield f"{body['sentence']}."
    if removed := details_removed(body["detailsRemovedAt"]):
        yield f"{removed[0].upper()}{removed[1:]}."
    yield from _downtime(body["downtime"])
    yield from _switches(body["switches"])
    for switch in switches:
        if switch.samples:
            yield from ("", "```text", switch.direction, *text_picture(switch), "```")
    yield from _impact(body["impact"])
    yield from _proof(body)
    if body["checklist"]:
        yield from ("", "## Checklists", "")
        yield from checklist_lines([Line(**line) for line in body["checklist"]])
    yield from _mapping(body["mapping"], body["mappingNotes"])
    yield from _steps(body["steps"])


def _moment(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M:%S} UTC"


def _downtime(downtime: Mapping[str, Any] | None) -> Iterator[str]:
    if downtime is None:
        return
    clients = "refused" if downtime["how"] == "refuse" else "held"
    took = "still" if downtime["seconds"] is None else f"for {duration(downtime['seconds'])}"
    yield from ("", "## Downtime", "", f"Clients were {clients} {took}, from {downtime['from']}.")
    if downtime["sessionsCut"]:
        cut = counted(downtime["sessionsCut"], "session")
        yield f"Cut at the direct door: {cut}."


def _switches(switches: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not switches:
        return
    yield from ("", "## Switches", "")
    yield from _table(
        ("direction", "failed", "longest wait", "baseline p50 / p99", "window"),
        (
            (
                each["direction"],
                _known(each["failedTransactions"], "{}"),
                _known(each["longestMs"], "{:.1f} ms"),
                f"{_known(each['baselineMs']['p50'], '{:.1f}')} / "
                f"{_known(each['baselineMs']['p99'], '{:.1f} ms')}",
                _known(each["windowMs"], "{:.1f} ms"),
            )
            for each in switches
        ),
    )
    for each in switches:
        if each["phasesMs"]:
            phases = ", ".join(f"{name} {ms:.1f}" for name, ms in each["phasesMs"].items())
            yield from ("", f"{each['direction']}, phases in ms: {phases}")


def _impact(impact: Mapping[str, Any] | None) -> Iterator[str]:
    if impact is None:
        return
    yield from ("", "## Performance impact", "")
    sides = (("before", impact["before"]), ("after", impact["after"]))
    yield from _table(
        ("", "transactions/s", "transaction p50 / p95 / p99", "login and query p50 / p95"),
        (
            (
                name,
                _known(side["transactionsPerSecond"], "{:.1f}"),
                _spread(side["transactionMs"], ("p50", "p95", "p99")),
                _spread(side["doorMs"], ("p50", "p95")),
            )
            for name, side in sides
        ),
    )
    if impact["queries"]:
        yield ""
        yield from _table(
            ("statement", "before", "after"),
            (
                (
                    "`" + " ".join(each["query"].split())[:80].replace("|", "\\|") + "`",
                    _known(each["beforeMs"], "{:.3f} ms"),
                    _known(each["afterMs"], "{:.3f} ms"),
                )
                for each in impact["queries"]
            ),
        )


def _spread(found: Mapping[str, float] | None, names: Sequence[str]) -> str:
    if found is None:
        return "not measured"
    return " / ".join(f"{found[name]:.2f}" for name in names) + " ms"


def _proof(body: Mapping[str, Any]) -> Iterator[str]:
    comparison, point = body["comparison"], body["rollbackPoint"]
    if comparison or point or body["statements"] or body["greenBy"]:
        yield from ("", "## Proof", "")
    yield from _green(body)
    if comparison:
        yield (
            f"- Compared {counted(comparison['rowsCompared'], 'row')} in "
            f"{counted(comparison['tables'], 'table')}: "
            f"{comparison['rowsDifferent']} different."
        )
        if comparison["columnsNotCompared"]:
            yield f"- Not compared: {', '.join(comparison['columnsNotCompared'])}."
    yield from _statements(body["statements"])
    if point:
        state = "verified by restoring it" if point["verified"] else "not verified"
        yield f"- Rollback point `{point['path']}` ({point['scope']}): {state}."


def _green(body: Mapping[str, Any]) -> Iterator[str]:
    """How green was made, of how much and in what time, as far as the job came."""
    if body["greenBy"] is None:
        return
    size, took = body["databaseBytes"], body["secondsToWritableGreen"]
    of = f" of {size / 1e6:,.0f} MB" if size else ""
    within = "not yet writable" if took is None else f"writable in {duration(took)}"
    if body["greenBy"] == "fork":
        yield f"- Green: a fork of the standby{of}, {within}."
        return
    expected = duration(body["copyEstimateSeconds"])
    yield f"- Green: a copy through SQL{of}, {within}; {expected} were expected."


def _statements(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    if not found["recorded"]:
        yield "- Live statements: none are recorded, so none were tried."
        return
    yield f"- Tried {counted(found['counted'], 'live statement')} on the final shape."
    for what, told in (
        ("broken", "Fails there, and was accepted"),
        ("setAside", "Fails there, and its sender knows another"),
        ("slower", "May be slower there"),
    ):
        yield from (f"  - {told}: `{each}`" for each in found[what])


def _mapping(mapping: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Iterator[str]:
    if not mapping and not notes:
        return
    yield from ("", "## What changed", "")
    for table in mapping:
        yield f"- `{table['table']}`: {table['change']}"
    if notes:
        yield from ("", "To know while both shapes are in use:", "")
        yield from (f"- {note}" for note in notes)


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not steps:
        return
    yield from ("", "## Steps", "")
    yield from _table(
        ("step", "owner", "took", "attempts", "state", "what it says"),
        (
            (
                each["name"],
                each["owner"],
                "" if each["seconds"] is None else duration(each["seconds"]),
                str(each["attempts"]),
                each["state"],
                each["sentence"].replace("|", "\\|"),
            )
            for each in steps
        ),
    )


def _table(head: Sequence[str], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _known(value: float | None, form: str) -> str:
    return "not measured" if value is None else form.format(value)

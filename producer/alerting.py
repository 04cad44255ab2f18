"""`bluegreen alerts`: what is raised, and silence for a while."""

from __future__ import annotations

from producer.configuration import Configuration
from producer.output import Output
from producer.person import person
from producer.store import open_store, settings_of
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore, Silence


def list_alerts(configuration: Configuration, output: Output) -> None:
    """Raises Transient when the control database does not answer."""
    store = _store(configuration)
    raised, silences = store.raised(), store.silences()
    output.document(
        {
            "alerts": [
                {
                    "name": alert.name,
                    "severity": alert.severity,
                    "sentence": alert.sentence,
                    "raisedAt": alert.raised_at.isoformat(),
                }
                for alert in raised
            ],
            "silences": [_document(silence) for silence in silences],
        }
    )
    for alert in raised:
        output.say(f"{alert.raised_at:%F %H:%M}  {alert.severity:<8}  {alert.name}: "
                   f"{alert.sentence}")  # fmt: skip
    for each in silences:
        output.say(_line(each))
    if not raised and not silences:
        output.say("no alert is raised")


def silence(
    configuration: Configuration, output: Output, pattern: str, seconds: float, reason: str
) -> None:
    store = _store(configuration)
    made = store.silence(like(pattern), seconds=seconds, by=person(), reason=reason)
    output.document(_document(made))
    output.say(_line(made))


def unsilence(configuration: Configuration, output: Output, number: int) -> None:
    """Raises Refused when no such silence holds."""
    pattern = _store(configuration).end_silence(number, by=person())
    output.document({"number": number, "ended": True})
    output.say(f"alerts like {shown(pattern)} are told again")


def like(pattern: str) -> str:
    """The pattern of LIKE for one in which only `*` means something."""
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, "\\" + special)
    return pattern.replace("*", "%")


def shown(pattern: str) -> str:
    """The way back from `like`."""
    text = pattern.replace("%", "*").replace("\\*", "%")
    return text.replace("\\_", "_").replace("\\\\", "\\")


def _store(configuration: Configuration) -> HealthStore:
    settings = settings_of(configuration)
    open_store(settings)
    return HealthStore(
        ControlDatabase(settings, application_name="bluegreen/producer", agent="producer")
    )


def _document(silence: Silence) -> dict[str, object]:
    return {
        "number": silence.id,
        "alerts": shown(silence.pattern),
        "until": silence.until.isoformat(),
        "by": silence.by,
        "reason": silence.reason,
    }


def _line(silence: Silence) -> str:
    return (
        f"silence {silence.id}: {shown(silence.pattern)} until {silence.until:%F %H:%M} UTC, "
        f"by {silence.by}: {silence.reason}"
    )

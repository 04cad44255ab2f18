"""`bluegreen baseline`: what is usual, measured under real traffic and kept."""

from __future__ import annotations

from collections.abc import Iterator

from producer.configuration import Configuration
from producer.connections import active_side
from producer.output import Output
from producer.person import person
from producer.store import open_store, settings_of
from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.schema_store import SchemaStore
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health.baseline_measurement import measure
from shared.domain.baseline import Baseline, Spread
from shared.domain.errors import Refused
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings
from shared.sql.fingerprint import FINGERPRINT


def show(configuration: Configuration, output: Output) -> None:
    """Raises Refused when none was measured yet."""
    settings = settings_of(configuration)
    found = BaselineStore(_control(settings)).current(settings.database)
    if found is None:
        raise Refused(
            f"expected a baseline of {settings.database}, found none",
            remedy="`bluegreen baseline update` measures one while the application works",
        )
    _say(output, found)


def update(configuration: Configuration, output: Output, *, seconds: float) -> None:
    """Measure, keep, and accept the schema as it is. Raises Transient when something is away."""
    settings = settings_of(configuration)
    control = _control(settings)
    active = make_nodes(settings, AGENT_ROLES["health-monitor"])[active_side(settings)]
    output.warn(f"measuring {seconds:g} s of traffic on {active.colour}")
    found = measure(settings, active, seconds=seconds)
    with active.session() as session:
        fingerprint = str(session.value(FINGERPRINT))
    BaselineStore(control).keep(found, by=person())
    SchemaStore(control).accept(settings.database, fingerprint)
    _say(output, found)


def _control(settings: Settings) -> ControlDatabase:
    open_store(settings)
    return ControlDatabase(settings, application_name="bluegreen/producer", agent="producer")


def _say(output: Output, found: Baseline) -> None:
    output.document(document(found))
    if not output.as_json:
        for line in lines(found):
            output.say(line)


def document(found: Baseline) -> dict[str, object]:
    def spread(of: Spread | None) -> dict[str, float] | None:
        return None if of is None else of.model_dump()

    return {
        "database": found.database,
        "measuredAt": found.at.isoformat(),
        "seconds": found.seconds,
        "side": found.side,
        "transactionsPerSecond": found.transactions_per_s,
        "rolledBackShare": found.rolled_back_share,
        "doorMs": spread(found.door_ms),
        "roundTripMs": spread(found.round_trip_ms),
        "transactionMs": spread(found.transaction_ms),
        "waitingMs": found.waiting_ms,
        "clients": found.clients,
        "serverConnections": found.server_connections,
        "queries": [
            {
                "query": each.query,
                "callsPerSecond": each.calls_per_s,
                "meanMs": each.mean_ms,
                "share": each.share,
            }
            for each in found.queries
        ],
    }


def lines(found: Baseline) -> Iterator[str]:
    yield (
        f"{found.database} on {found.side}, {found.seconds:.0f} s, "
        f"measured at {found.at:%F %H:%M} UTC"
    )
    yield (
        f"  {found.transactions_per_s:.1f} transactions a second, "
        f"{found.rolled_back_share:.2%} rolled back, {found.clients} clients on "
        f"{found.server_connections} server connections, waiting {found.waiting_ms:.2f} ms"
    )
    for what, spread in (
        ("a login and a query", found.door_ms),
        ("a round trip", found.round_trip_ms),
        ("a transaction", found.transaction_ms),
    ):
        if spread is not None:
            figures = f"p50 {spread.p50:.2f}  p95 {spread.p95:.2f}  p99 {spread.p99:.2f} ms"
            yield f"  {what:<20} {figures}"
    for each in found.queries:
        text = " ".join(each.query.split())
        yield f"  {each.share:5.1%}  {each.calls_per_s:8.1f}/s  {each.mean_ms:8.3f} ms  {text[:80]}"

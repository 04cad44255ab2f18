"""The rollback window says how the way back is, and raises an alert when it closes by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.postgres import PsycopgSession
from shared.adapters.standing.standing import install
from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.health import Severity
from shared.domain.objects import REVERSE
from shared.ports import Done, Pending
from tests.support.cluster import Server, postgres
from tests.support.paper_stack import settings_over
from tests.support.roles import create_roles
from tests.support.steps import a_job
from workers.health_monitor.steps.hold_rollback_window import HoldRollbackWindow


@dataclass
class Book:
    """Alerts, in memory."""

    raised: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """What was said of a window that ends early."""

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        self.raised[name] = sentence
        if name.endswith("/disk"):
            self.told.append(sentence)

    def clear_alert(self, name: str, sentence: str) -> None:
        self.raised.pop(name, None)


def prepare(server: Server) -> None:
    with server.connect() as administrator:
        create_roles(administrator)
    with server.connect("app") as administrator:
        session = PsycopgSession(administrator)
        install(session, application_role="app", administrator="postgres")
        administrator.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """Blue subscribes to green, as it does in a rollback window."""
    with postgres(15, cluster_name="blue") as blue, postgres(15, cluster_name="green") as green:
        prepare(blue)
        prepare(green)
        with green.connect("app") as serving, blue.connect("app") as old:
            serving.execute(f"CREATE PUBLICATION {REVERSE} FOR TABLE users")
            old.execute(
                f"CREATE SUBSCRIPTION {REVERSE} CONNECTION '{green.dsn('app')}' "
                f"PUBLICATION {REVERSE} WITH (copy_data = false, disable_on_error = true)"
            )
        yield blue, green


def said_within(step: HoldRollbackWindow, words: str, *, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        answer = step.do(JOB)
        assert isinstance(answer, Pending)
        if words in answer.sentence:
            return
        assert time.monotonic() < deadline, answer.sentence
        time.sleep(0.1)


JOB = a_job(
    facts={
        "cutover": {
            "at": datetime.now(UTC).isoformat(), "direction": "blue->green", "window_ms": 1.0,
        }
    }
)  # fmt: skip


def test_a_way_back_that_stops_is_an_alert_until_it_goes_on(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    blue, green = pair
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    book = Book()
    step = HoldRollbackWindow(nodes, book, lambda: datetime.now(UTC))
    said_within(step, "blue is", limit_s=20)
    assert book.raised == {}

    with blue.connect("app") as old, green.connect("app") as serving:
        old.execute("INSERT INTO users VALUES (1, 'in the way')")
        serving.execute("INSERT INTO users VALUES (1, 'born on green')")
        said_within(step, "REPLICATION BACK HAS STOPPED", limit_s=30)
        (sentence,) = book.raised.values()
        assert "a rollback would lose writes" in sentence

        old.execute("DELETE FROM users")
        old.execute(f"ALTER SUBSCRIPTION {REVERSE} ENABLE")
        said_within(step, "blue is", limit_s=30)
        assert book.raised == {}


def test_a_way_back_whose_wal_is_gone_is_closed_for_good(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    blue, green = pair
    book = Book()
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    step = HoldRollbackWindow(nodes, book, lambda: datetime.now(UTC))
    said_within(step, "blue is", limit_s=20)
    with blue.connect("app") as old, green.connect("app") as serving:
        old.execute(f"ALTER SUBSCRIPTION {REVERSE} DISABLE")
        serving.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        serving.execute("SELECT pg_reload_conf()")
        lost = "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s"
        deadline = time.monotonic() + 60
        while not serving.execute(lost, (REVERSE,)).fetchone()[0]:
            assert time.monotonic() < deadline, "the server goes on keeping the slot's WAL"
            serving.execute("SELECT pg_switch_wal(), pg_logical_emit_message(false, 'a', 'b')")
            serving.execute("CHECKPOINT")
        old.execute(f"ALTER SUBSCRIPTION {REVERSE} ENABLE")
    said_within(step, "THE WAY BACK IS CLOSED", limit_s=20)
    (sentence,) = book.raised.values()
    assert "max_slot_wal_keep_size" in sentence
    assert "`bluegreen finish" in sentence


def test_a_window_ends_before_what_is_kept_for_it_fills_the_disk(
    pair: tuple[Server, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blue, green = pair
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    book = Book()
    step = HoldRollbackWindow(nodes, book, lambda: datetime.now(UTC))
    said_within(step, "blue is", limit_s=20)
    driver = type(nodes[Colour.GREEN].driver)
    with blue.connect("app") as old, green.connect("app") as serving:
        old.execute(f"ALTER SUBSCRIPTION {REVERSE} DISABLE")
        serving.execute("SELECT pg_switch_wal(), pg_logical_emit_message(false, 'a', 'b')")
        monkeypatch.setattr(driver, "free_disk_bytes", lambda _: 1 << 40)
        assert isinstance(step.do(JOB), Pending)
        monkeypatch.setattr(driver, "free_disk_bytes", lambda _: 1)
        ended = step.do(JOB)
    assert isinstance(ended, Done)
    assert "the rollback window ends" in ended.sentence
    assert book.told == [ended.sentence]


def test_values_that_a_rollback_would_lose_are_counted(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    blue, green = pair
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    step = HoldRollbackWindow(nodes, Book(), lambda: datetime.now(UTC))
    with green.connect("app") as serving:
        serving.execute("CREATE SCHEMA bluegreen_job")
        serving.execute("CREATE TABLE bluegreen_job.lost AS SELECT 1 FROM generate_series(1, 3)")
    said_within(step, "3 values would be lost", limit_s=20)


@pytest.mark.parametrize("target", ["closed", "dead"])
def test_a_target_that_traffic_was_taken_from_by_hand_undoes_the_job(
    pair: tuple[Server, Server], tmp_path: Path, target: str
) -> None:
    """`bluegreen proxy switch`, which the control database could not be told of."""
    blue, green = pair
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    finishing = JOB.model_copy(update={"requests": frozenset({"finish"})})
    step = HoldRollbackWindow(nodes, Book(), lambda: datetime.now(UTC))
    said_within(step, "blue is", limit_s=20)
    assert step.is_done(finishing)
    with green.connect("app") as serving:
        serving.execute("SELECT bluegreen.fence()")
    if target == "dead":
        green.stop("immediate")
    for job in (JOB, finishing):
        assert not step.is_done(job)
        with pytest.raises(Broken, match="found blue: traffic was brought back by hand"):
            step.do(job)
    with blue.connect("app") as old:
        old.execute("SELECT bluegreen.fence()")
    assert isinstance(step.do(JOB), Pending)


def test_a_side_that_is_away_does_not_end_the_window(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    blue, green = pair
    nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
    step = HoldRollbackWindow(nodes, Book(), lambda: datetime.now(UTC))
    blue.stop("immediate")
    said_within(step, "the way back cannot be seen now", limit_s=10)
    blue.start()
    said_within(step, "blue is", limit_s=60)

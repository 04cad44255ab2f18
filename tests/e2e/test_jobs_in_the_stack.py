"""A safe job, a risky job under load and its way back, through the stack as a user runs it."""

from __future__ import annotations

import time

from tests.support.compose_stack import CONTROLLER, ComposeJourney, ComposeStack
from tests.support.files import Pets

RUN = f"{int(time.time()):x}"
"""Names of this run's tables: a kept stack has those of earlier ones."""
CUTOVER_LIMIT_S = 400
"""On a busy host a cutover gives up, harmlessly, until the marker crosses in time."""
IMAGE_LIMIT_BYTES = 400_000_000


def active(stack: ComposeStack) -> str:
    said = stack.execute("migration-proxy", "bluegreen", "proxy", "status", "--json")
    assert said.code == 0, said.err
    return str(said.body["pooled"])


def test_the_stack_is_healthy_and_the_doctor_agrees(stack: ComposeStack) -> None:
    assert stack.image_bytes() < IMAGE_LIMIT_BYTES
    said = stack.execute(CONTROLLER, "bluegreen", "doctor", "--json")
    assert said.code == 0, said.out
    assert all(check["ok"] for check in said.body["checks"])


def test_a_safe_job_changes_the_active_side(journey: ComposeJourney) -> None:
    job = journey.submit(f"safe_{RUN}.sql", f"CREATE TABLE safe_{RUN} (id bigint PRIMARY KEY);")
    assert journey.until_ended(job) == "completed"
    journey.as_application(f"INSERT INTO safe_{RUN} VALUES (1)")


def test_a_risky_job_under_load_there_and_back_and_there(
    stack: ComposeStack, journey: ComposeJourney
) -> None:
    pets = Pets(f"pets_{RUN}")
    journey.as_application(pets.table)
    before = active(stack)
    with journey.shop.load() as journal:
        job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
        journey.until_step(job, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
        journey.as_application(
            f"INSERT INTO {pets.name} (id, called, weight) VALUES (9001, 'born on green', 0.004)"
        )
        journey.bluegreen("rollback", job, "--yes")
        assert journey.until_ended(job, within_s=CUTOVER_LIMIT_S) == "rolled_back"
        assert active(stack) == before
        back = stack.sql(
            f"postgres-{before}", f"SELECT label, weight FROM {pets.name} WHERE id = 9001"
        )
        assert back == "born on green|4"
        again = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
        journey.until_step(again, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
        assert journey.bluegreen("finish", again).code == 0
        assert journey.until_ended(again) == "completed"
    account = journey.shop.account(journal)
    stack.note("risky", {"acknowledged": account.acknowledged, "failed": account.failed,
                         "lost": account.lost, "longestMs": round(account.longest_ms)})  # fmt: skip
    assert account.clean, account
    assert active(stack) != before
    to_the_standby = stack.execute("migration-proxy", "proxy-switch.sh", before)
    assert to_the_standby.code == 3, to_the_standby.err
    assert "would lose writes" in to_the_standby.err
    assert stack.execute("migration-proxy", "proxy-switch.sh", active(stack)).code == 0
    (switch,) = journey.report(again)["switches"]
    assert switch["failedTransactions"] == 0

"""Flower as people use it: Debian's chromium, headless, on pages that the proxy's door serves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.cluster import free_port
from tests.support.compose_stack import ARTEFACTS, ComposeJourney, ComposeStack
from tests.support.container_engine import ROOT
from tests.support.files import Pets

IMAGE = "bluegreen-browser:local"
BUILD_LIMIT_S, START_LIMIT_S, PAGE_LIMIT_S = 600, 60, 60
CUTOVER_LIMIT_S = 400
"""On a busy host a cutover gives up, harmlessly, until the marker crosses in time."""
ROWS = "#tasks-table tbody tr"
TURN_THE_PAGE = """
    const next = document.querySelector("#tasks-table_next:not(.disabled)");
    if (next) (next.querySelector("a") ?? next).click();
    return next !== null;"""
RUN = f"{int(time.time()):x}"


@pytest.fixture(scope="module")
def browser(stack: ComposeStack) -> Iterator[WebDriver]:
    """In a container beside the stack, on the network on which applications reach the doors."""
    said = stack.docker(
        "build", "-q", "-t", IMAGE, str(ROOT / "tests/e2e/browser"), limit_s=BUILD_LIMIT_S
    )
    assert said.code == 0, said.err
    port = free_port()
    name = f"{stack.project}-browser"
    stack.docker("rm", "-f", name)
    said = stack.docker(
        "run", "-d", "--name", name, "--network", f"{stack.project}_doors", "--shm-size", "512m",
        "--publish", f"127.0.0.1:{port}:9515", IMAGE,
    )  # fmt: skip
    assert said.code == 0, said.err
    try:
        driver = _driver(f"http://127.0.0.1:{port}")
        secret = stack.secret("flower", "flower")
        driver.get(f"https://flower:{secret}@migration-proxy:5555/tasks")
        yield driver
        driver.quit()
    finally:
        stack.docker("rm", "-f", name)


def _driver(address: str) -> WebDriver:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1500,1100"):
        options.add_argument(argument)
    options.set_capability("acceptInsecureCerts", True)  # trust is tested where TLS is
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            driver = webdriver.Remote(command_executor=address, options=options)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            driver.set_page_load_timeout(PAGE_LIMIT_S)
            return driver


def rows_of(
    browser: WebDriver, job: str, *, expected: Mapping[str, str], seen_as: str
) -> dict[str, str]:
    """The rows that a search for the job's id shows, over all pages: each row's text by its task's
    name and direction, such as `replicator.create_green backward`. Waits until those expected show
    what they shall: Flower hears of it a moment later. A picture of the first page is kept under
    the name `seen_as`."""
    browser.get("https://migration-proxy:5555/tasks")
    deadline = time.monotonic() + PAGE_LIMIT_S
    while True:
        _search(browser, job, deadline)
        picture(browser, seen_as)
        rows = _all_pages(browser, deadline)
        if all(name in rows and shown in rows[name] for name, shown in expected.items()):
            return rows
        assert time.monotonic() < deadline, f"expected {expected}, found {rows}"
        browser.refresh()


def _search(browser: WebDriver, job: str, deadline: float) -> None:
    search = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    search.clear()  # the page remembers what was looked for
    search.send_keys(job)
    while not (texts := _texts(browser)) or any(job not in text for text in texts):
        assert time.monotonic() < deadline, f"no row shows {job}, but {texts}"
        time.sleep(0.3)


def _texts(browser: WebDriver) -> list[str]:
    """Of all rows in one look: the page may draw the table anew between two."""
    script = "return Array.from(document.querySelectorAll(arguments[0]), row => row.innerText)"
    return [" ".join(text.split()) for text in browser.execute_script(script, ROWS)]


def _all_pages(browser: WebDriver, deadline: float) -> dict[str, str]:
    rows: dict[str, str] = {}
    while True:
        texts = _texts(browser)
        for text in texts:
            direction = " backward" if " backward " in text else ""
            rows.setdefault(text.split()[0] + direction, text)
        if not browser.execute_script(TURN_THE_PAGE):
            return rows
        while _texts(browser) == texts:
            assert time.monotonic() < deadline, "the next page is not shown"
            time.sleep(0.1)


def picture(browser: WebDriver, name: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    assert browser.save_screenshot(str(ARTEFACTS / f"{name}.png"))


def test_a_running_risky_job_is_found_by_its_id_with_each_step(
    browser: WebDriver, journey: ComposeJourney
) -> None:
    pets = Pets(f"seen_{RUN}")
    journey.as_application(pets.table)
    job = journey.submit(f"{pets.name}.sql", pets.risky, "--type", "risky")
    journey.until_step(job, "hold_rollback_window", within_s=CUTOVER_LIMIT_S)
    steps = {
        "validator.validate": "SUCCESS", "health-monitor.preflight": "SUCCESS",
        "replicator.create_green": "SUCCESS", "replicator.apply_migration": "SUCCESS",
        "validator.compare_rows": "SUCCESS", "proxy-agent.cutover": "SUCCESS",
        "health-monitor.hold_rollback_window": "PROGRESS",
    }  # fmt: skip
    rows = rows_of(browser, job, expected=steps, seen_as="flower-risky-job")
    assert "serves; the pause took" in rows["proxy-agent.cutover"]
    assert journey.bluegreen("finish", job).code == 0
    assert journey.until_ended(job, within_s=CUTOVER_LIMIT_S) == "completed"
    last = {"replicator.restore_standby": "SUCCESS"}
    rows_of(browser, job, expected=last, seen_as="flower-finished-job")


def test_a_failed_job_shows_what_was_undone(browser: WebDriver, journey: ComposeJourney) -> None:
    pets = Pets(f"undone_{RUN}")
    journey.as_application(pets.table)
    job = journey.submit(f"{pets.name}.sql", pets.fails_on_rows, "--type", "risky")
    assert journey.until_ended(job, within_s=CUTOVER_LIMIT_S) == "rolled_back"
    expected = {
        "replicator.apply_migration": "FAILURE",
        "replicator.apply_migration backward": "SUCCESS",
        "replicator.create_green backward": "SUCCESS",
    }
    rows = rows_of(browser, job, expected=expected, seen_as="flower-rolled-back-job")
    assert "few" in " ".join(rows.values())


def test_nothing_on_the_pages_can_be_pressed(browser: WebDriver) -> None:
    browser.get("https://migration-proxy:5555/workers")
    deadline = time.monotonic() + PAGE_LIMIT_S
    while "validator@" not in browser.find_element(By.TAG_NAME, "body").text:
        assert time.monotonic() < deadline, browser.find_element(By.TAG_NAME, "body").text
        time.sleep(0.5)
    picture(browser, "flower-workers")
    for words in ("Shut Down", "Restart", "Revoke", "Terminate"):
        assert words not in browser.find_element(By.TAG_NAME, "body").text

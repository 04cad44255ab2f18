"""Plan and report say how a risky migration gets its green, of how much and in what time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from producer.configuration import Configuration
from producer.output import Output
from producer.planning import configured_strategy, dry_run
from producer.reports.document import report_document
from producer.reports.markdown import markdown
from shared.domain.kinds import Strategy
from tests.support.settings_on_paper import settings_on_paper
from tests.unit.producer.test_client import World

FORK = {"server_version_num": {}, "system_identifier": "", "database_bytes": 2_100_000_000}
COPY = {**FORK, "strategy": "copy", "copy_bytes": 2_100_000_000, "copy_estimate_s": 42.0}
WRITABLE = {"fork_lsn": "0/1", "seconds_to_writable": 0.62}


def said(**facts: dict[str, Any]) -> str:
    world = World()
    job = world.submit()
    world.store.learn(job, **facts)
    return markdown(report_document(world.store.job(job), world.store.steps(job), []))


def test_the_report_tells_a_fork_from_a_copy_with_size_and_time() -> None:
    assert "- Green: a fork of the standby of 2,100 MB, writable in 0.6 s." in said(
        preflight=FORK, create_green=WRITABLE
    )
    assert (
        "- Green: a copy through SQL of 2,100 MB, writable in 0.6 s; 42 s were expected."
    ) in said(preflight=COPY, create_green=WRITABLE)


def test_a_job_that_ended_before_its_green_says_so() -> None:
    assert "- Green: a fork of the standby of 2,100 MB, not yet writable." in said(preflight=FORK)


def test_a_preflight_of_an_older_version_left_no_size() -> None:
    older = {"server_version_num": {}, "system_identifier": ""}
    assert "- Green: a fork of the standby, writable in 0.6 s." in said(
        preflight=older, create_green=WRITABLE
    )
    assert "Green:" not in said()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"BLUEGREEN_STATE_DIR": str(tmp_path)}


def configure(folder: Path, *drivers: Any) -> None:
    settings = settings_on_paper(folder, *drivers)
    (folder / "stack.json").write_text(settings.model_dump_json())


@pytest.mark.parametrize(
    ("drivers", "strategy"),
    [
        (("local", "local"), "fork"),
        (("docker", "docker"), "fork"),
        (("local", "remote"), "copy"),
        (("remote", "remote"), "copy"),
    ],
)
def test_the_plan_knows_it_from_the_configured_servers(
    tmp_path: Path, environment: dict[str, str], drivers: tuple[str, str], strategy: Strategy
) -> None:
    configure(tmp_path, *drivers)
    assert configured_strategy(environment) == strategy


def planned(
    folder: Path, environment: dict[str, str], sql: str, capsys: pytest.CaptureFixture[str],
    *, as_json: bool = False,
) -> str:  # fmt: skip
    file = folder / "001.sql"
    file.write_text(sql)
    assert dry_run(Configuration(None, environment), Output(as_json), [file], {}) == 0
    return capsys.readouterr().out


RISKY, SAFE = "ALTER TABLE t DROP COLUMN c;", "CREATE TABLE t (id int PRIMARY KEY);"


def test_the_plan_says_how_green_is_made(
    tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, "remote", "remote")
    said = planned(tmp_path, environment, RISKY, capsys)
    assert "green: copied through SQL, about 20 s for each GB" in said
    assert "green:" not in planned(tmp_path, environment, SAFE, capsys), "there is none"


def test_a_plan_without_a_stack_says_that_it_did_not_see_it(
    tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "green: not seen" in planned(tmp_path, environment, RISKY, capsys)
    found = json.loads(planned(tmp_path, environment, RISKY, capsys, as_json=True))
    assert "greenBy" in json.dumps(found)
    configure(tmp_path, "local", "local")
    found = json.loads(planned(tmp_path, environment, RISKY, capsys, as_json=True))
    document = found["files"][0] if "files" in found else found
    assert document["greenBy"] == "fork"

"""The files for Prometheus and Grafana: promtool finds them right, all they name is measured."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.adapters.embedded.packages import unpacked

FILES = Path(__file__).parents[2] / "compose" / "monitoring"
METRIC = re.compile(r"mig_[a-z_]+")
DOCUMENTED = frozenset(
    METRIC.findall((Path(__file__).parents[2] / "docs" / "monitoring.md").read_text())
)


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    return found or str(unpacked("promtool", ("promtool",), owner=None) / "usr/bin/promtool")


def checked(promtool: str, *words: str) -> None:
    ended = subprocess.run(
        [promtool, *words], cwd=FILES, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_promtool_finds_the_rules_right(promtool: str) -> None:
    checked(promtool, "check", "rules", "alerts.yml")


def test_promtool_finds_the_configuration_right(promtool: str) -> None:
    """But for the certificate, which is there in the container."""
    checked(promtool, "check", "config", "--syntax-only", "prometheus.yml")


def test_amtool_finds_the_configuration_of_alertmanager_right() -> None:
    found = shutil.which("amtool") or str(
        unpacked("alertmanager", ("prometheus-alertmanager",), owner=None) / "usr/bin/amtool"
    )
    checked(found, "check-config", "alertmanager.yml")


def test_grafana_finds_the_dashboard_where_it_is_mounted() -> None:
    root = FILES.parents[1]
    stack = (root / "docker-compose.migrations.yml").read_text()
    mounts = dict(re.findall(r"- \./(compose/monitoring/\S+?):(\S+?):ro", stack))
    assert all((root / source).is_file() for source in mounts)
    place = re.search(r"path: ([^}]+)}", (FILES / "grafana/dashboards.yml").read_text())
    assert place is not None
    assert mounts["compose/monitoring/dashboard.json"] == f"{place[1]}/bluegreen.json"
    for name in ("datasources", "dashboards"):
        target = mounts[f"compose/monitoring/grafana/{name}.yml"]
        assert target == f"/etc/grafana/provisioning/{name}/bluegreen.yml"


def test_each_rule_fires_on_what_it_is_for(promtool: str) -> None:
    checked(promtool, "test", "rules", "alerts.test.yml")


def test_every_rule_has_a_test() -> None:
    rules = re.findall(r"- alert: (\w+)", (FILES / "alerts.yml").read_text())
    tested = re.findall(r"alertname: (\w+)", (FILES / "alerts.test.yml").read_text())
    assert rules
    assert set(rules) == set(tested)


@pytest.mark.parametrize("name", ["alerts.yml", "dashboard.json"])
def test_only_what_is_measured_is_asked_for(name: str) -> None:
    """docs/monitoring.md lists the names; test_health_monitor.py scrapes them."""
    suffix = re.compile(r"_(bucket|sum|count)$")
    asked = {suffix.sub("", found) for found in METRIC.findall((FILES / name).read_text())}
    assert asked - DOCUMENTED == set()


def test_the_dashboard_is_whole() -> None:
    body = json.loads((FILES / "dashboard.json").read_text())
    assert body["title"] == "Bluegreen"
    panels = body["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 8
    for panel in panels:
        assert panel["title"]
        assert all(METRIC.search(target["expr"]) for target in panel["targets"])

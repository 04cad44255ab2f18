"""Servers that are not fit for a risky job, as preflight finds them: read, judged, refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from tests.support.cluster import postgres
from tests.support.paper_stack import prepare, settings_over
from workers.health_monitor.rules import findings
from workers.health_monitor.server_facts import read_server
from workers.health_monitor.snapshot import Snapshot


def test_two_majors_and_a_server_that_runs_jobs_of_its_own_are_refused(tmp_path: Path) -> None:
    extensions = tmp_path / "extension"
    extensions.mkdir()
    (extensions / "pg_cron.control").write_text("default_version = '1.0'\n")
    (extensions / "pg_cron--1.0.sql").write_text("CREATE TABLE job (command text);\n")
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)  # the servers' user must be able to enter
    with (
        postgres(18, cluster_name="blue", extension_control_path=f"{tmp_path}:\\$system") as blue,
        postgres(15, cluster_name="green") as green,
    ):
        prepare(blue), prepare(green)
        with blue.connect("app") as connection:
            connection.execute("CREATE EXTENSION pg_cron")
        nodes = make_nodes(settings_over(tmp_path, blue, blue, green), "bg_health")
        servers = {
            colour: read_server(nodes[colour], exempt=("postgres",)) for colour in Colour
        }  # fmt: skip
    found = findings(Snapshot(Colour.BLUE, servers, None, "app", 1.0), Kind.RISKY)
    said = {rule: finding.message for rule, finding in found if finding.refuses}
    assert "found two" in said["version"]
    assert "(pg_cron)" in said["background_jobs"]


def test_a_server_that_cannot_replicate_or_rewind_is_refused(tmp_path: Path) -> None:
    with postgres(
        15, cluster_name="blue", wal_level="replica", wal_log_hints="off",
        max_replication_slots="2", max_wal_senders="2", max_logical_replication_workers="1",
        max_prepared_transactions="1", archive_mode="on", archive_command="true",
    ) as server:  # fmt: skip
        prepare(server)
        settings = settings_over(tmp_path, server, server)
        with server.connect("app") as connection:
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
            connection.execute("PREPARE TRANSACTION 'left over'")
        driver = make_nodes(settings, "bg_health")[Colour.BLUE].driver
        node = PostgresNode(settings, Colour.BLUE, "bg_health", driver)
        facts = read_server(node, exempt=("postgres",))
        with server.connect("app") as connection:
            connection.execute("ROLLBACK PREPARED 'left over'")
    alone = Snapshot(Colour.BLUE, {Colour.BLUE: facts}, None, "app", 1.0)
    found = {rule for rule, _ in findings(alone, Kind.RISKY)}
    assert found >= {
        "standby", "streaming", "wal_level", "rewindable", "free_slots", "apply_workers",
        "archiving", "prepared_transactions", "pooler_present",
    }  # fmt: skip


WRITES = {
    "plain": "INSERT INTO ddl_log VALUES (tg_tag);",
    "built": "EXECUTE 'INSERT  INTO ddl_log VALUES ($1)' USING tg_tag;",
    "counts": "UPDATE public.ddl_log AS l SET tag = tg_tag;",
    "forgets": "DELETE FROM ddl_log;",
}
HARMLESS = {
    "tells": "NOTIFY watchers, 'reload schema';",
    "grants": "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO app;",
    "refuses": "RAISE EXCEPTION 'no % by hand', tg_tag;",
}


@pytest.mark.parametrize("version", [15, 18])
def test_an_event_trigger_that_writes_rows_is_refused_and_one_that_is_disabled_is_not(
    tmp_path: Path, version: int
) -> None:
    with postgres(version, cluster_name="blue") as server:
        prepare(server)
        settings = settings_over(tmp_path, server, server)
        node = make_nodes(settings, "bg_health")[Colour.BLUE]
        with server.connect("app") as connection:
            for name, body in (WRITES | HARMLESS).items():
                connection.execute(
                    f"CREATE FUNCTION {name}() RETURNS event_trigger LANGUAGE plpgsql AS"
                    f" $$BEGIN {body} END$$"
                )
            for name in WRITES | HARMLESS:
                connection.execute(
                    f"CREATE EVENT TRIGGER {name} ON sql_drop EXECUTE FUNCTION {name}()"
                )
            facts = read_server(node, exempt=("postgres",))
            for name in WRITES:
                connection.execute(f"ALTER EVENT TRIGGER {name} DISABLE")
            disabled = read_server(node, exempt=("postgres",))
    assert facts.writing_event_triggers == tuple(sorted(WRITES))
    assert disabled.writing_event_triggers == ()
    alone = Snapshot(Colour.BLUE, {Colour.BLUE: facts}, None, "app", 1.0)
    [found] = [f for rule, f in findings(alone, Kind.RISKY) if rule == "writing_event_triggers"]
    assert found.refuses
    assert found.remedy == 'ALTER EVENT TRIGGER "built" DISABLE until the job has ended'

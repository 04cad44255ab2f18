"""What `.env` says of a server that is there already: obeyed, or refused with its setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.compose.certificates import Authority
from shared.adapters.compose.existing import EXISTING, given_authority, reading_refusals
from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.stack_settings import authority_there, settings_for
from shared.adapters.compose.vault import Vault, choices_from, given_secrets
from shared.adapters.drivers.remote_driver import RemoteDriver
from shared.adapters.embedded.postgres_conf import node_hba
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.adapters.keeper.server_container import NETWORK
from shared.adapters.pooler.route_file import route_text
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.settings import NodeSettings


@pytest.fixture
def named(tmp_path: Path) -> dict[str, str]:
    authority = Authority(tmp_path / "authority").files.certificate
    for name in ("DB_PASSWORD_FILE", "DB_APP_PASSWORD_FILE"):
        (tmp_path / name).write_text(f"secret of {name}\n", encoding="utf-8")
    return {
        EXISTING: "yes", "DB_HOST": "db.example.net", "DB_PORT": "6000", "DB_NAME": "shop",
        "DB_USER": "alice", "DB_APP_USER": "shop_app", "DB_CLUSTER_NAME": "production",
        "DB_CA_FILE": str(authority),
        "DB_PASSWORD_FILE": str(tmp_path / "DB_PASSWORD_FILE"),
        "DB_APP_PASSWORD_FILE": str(tmp_path / "DB_APP_PASSWORD_FILE"),
    }  # fmt: skip


def test_it_is_blue_and_green_is_not_read_by_it(named: dict[str, str], tmp_path: Path) -> None:
    choices = choices_from(named, Vault(tmp_path))
    settings = settings_for(IDENTITIES[0], choices)
    blue, green = settings.nodes[Colour.BLUE], settings.nodes[Colour.GREEN]
    assert (blue.driver, blue.administrator, blue.cluster_name) == ("remote", "alice", "production")
    assert "host=db.example.net port=6000" in route_text(settings.database, blue)
    assert (green.host, green.is_read_by_other) == ("postgres-green", False)
    assert (settings.database, settings.application_role) == ("shop", "shop_app")
    given = given_secrets(named, choices)
    assert {one.secret for one in given.values()} == {
        "secret of DB_PASSWORD_FILE", "secret of DB_APP_PASSWORD_FILE",
    }  # fmt: skip
    assert "BEGIN CERTIFICATE" in given_authority(named)


def test_for_risky_jobs_it_reads_from_green_by_an_address_and_an_authority_of_its_own(
    named: dict[str, str], tmp_path: Path
) -> None:
    """Our own processes go on reaching green inside the stack."""
    reached = named | {"BLUEGREEN_GREEN_HOST": "stack.example.net", "BLUEGREEN_GREEN_PORT": "7000"}
    choices = choices_from(reached, Vault(tmp_path))
    settings = settings_for(IDENTITIES[0], choices)
    green = settings.nodes[Colour.GREEN]
    assert green.is_read_by_other
    assert (green.host, green.port) == ("postgres-green", 5432)
    (tmp_path / "bg_repl_green").write_text("of the reader", encoding="utf-8")
    known = settings.model_copy(update={"secrets_dir": tmp_path})
    node = PostgresNode(known, Colour.GREEN, "", RemoteDriver(Colour.GREEN, green))
    conninfo = node.replication_conninfo(database="shop")
    for part in ("host=stack.example.net", "port=7000", "sslmode=verify-full",
                 f"sslrootcert={authority_there(choices.stack)}"):  # fmt: skip
        assert part in conninfo


def test_only_the_role_that_reads_may_come_from_elsewhere() -> None:
    lines = node_hba(Colour.GREEN, "open", replace(NETWORK, readers="all")).splitlines()
    from_all = {(words[0], words[2]) for words in map(str.split, lines) if words[3:4] == ["all"]
                if words[4] != "reject"}  # fmt: skip
    assert from_all == {("hostssl", "bg_repl_green")}


def read_all(environment: dict[str, str], vault: Vault) -> None:
    given_secrets(environment, choices_from(environment, vault))
    given_authority(environment)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DB_HOST", "host;x"),
        ("DB_PORT", "none"),
        ("DB_PORT", "70000"),
        ("DB_NAME", "shop; DROP DATABASE x"),
        ("DB_USER", "a b"),
        ("DB_APP_USER", ""),
        ("DB_CA_FILE", "/dev/null"),
        ("BLUEGREEN_GREEN_HOST", "a b"),
        ("DB_PASSWORD_FILE", "/dev/null"),
        ("DB_APP_PASSWORD_FILE", "/nowhere"),
        (EXISTING, ""),
    ],
)
def test_what_cannot_be_obeyed_is_named(
    named: dict[str, str], tmp_path: Path, setting: str, value: str
) -> None:
    environment = named | {setting: value}
    expected = "compose/existing-database.yml" if setting == EXISTING else setting
    with pytest.raises(Refused) as raised:
        read_all(environment, Vault(tmp_path))
    assert expected in f"{raised.value.message} {raised.value.remedy}"


def test_a_password_that_was_changed_there_is_taken_over_and_the_first_old_one_kept(
    named: dict[str, str], tmp_path: Path
) -> None:
    """Our own server knows none of those that came and went between two starts of it."""
    vault, file = Vault(tmp_path / "vault"), tmp_path / "DB_PASSWORD_FILE"
    vault.directory.mkdir()
    for secret in ("first", "second", "third"):
        file.write_text(secret, encoding="utf-8")
        vault.fill([ADMINISTRATOR], given_secrets(named, choices_from(named, vault)))
    assert (vault.secret(ADMINISTRATOR), vault.before(ADMINISTRATOR)) == ("third", "first")
    vault.forget_before(ADMINISTRATOR)
    assert vault.before(ADMINISTRATOR) is None


def test_a_stack_of_its_own_keeps_its_password(tmp_path: Path) -> None:
    vault, file = Vault(tmp_path / "vault"), tmp_path / "password"
    vault.directory.mkdir()
    given = {"DB_PASSWORD_FILE": str(file)}
    file.write_text("first", encoding="utf-8")
    vault.fill([ADMINISTRATOR], given_secrets(given, choices_from(given, vault)))
    file.write_text("second", encoding="utf-8")
    with pytest.raises(Refused, match="DB_PASSWORD_FILE differs"):
        vault.fill([ADMINISTRATOR], given_secrets(given, choices_from(given, vault)))
    assert vault.secret(ADMINISTRATOR) == "first"


NODE = NodeSettings(colour=Colour.BLUE, driver="remote", host="db", port=1, cluster_name="")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('password authentication failed for user "alice"', "DB_USER and DB_PASSWORD_FILE"),
        ('no pg_hba.conf entry for host "172.18.0.5"', "pg_hba.conf"),
        ('database "shop" does not exist', "DB_NAME"),
        ("certificate verify failed: certificate has expired", "DB_CA_FILE"),
        ('server certificate for "x" does not match host name "db"', "DB_HOST"),
        ("server does not support SSL, but SSL was required", "`ssl = on`"),
    ],
)
def test_a_login_that_is_refused_is_not_tried_for_a_minute(said: str, expected: str) -> None:
    with pytest.raises(Refused) as raised, reading_refusals(NODE):
        raise Transient(said)
    assert expected in raised.value.message
    assert said in raised.value.message


def test_a_server_that_is_only_away_is_waited_for() -> None:
    with pytest.raises(Transient), reading_refusals(NODE):
        raise Transient("connection refused")

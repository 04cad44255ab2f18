"""What `.env` says of a server that is there already: obeyed, or refused with its setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.adapters.compose.certificates import Authority
from shared.adapters.compose.existing import EXISTING, given_authority, reading_refusals
from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.stack_settings import settings_for
from shared.adapters.compose.vault import Vault, choices_from, given_secrets
from shared.adapters.route_file import route_text
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

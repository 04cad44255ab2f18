"""How long things stay in the compose stack: `.env` says it, and is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.adapters.compose.inventory import AGENT_IDENTITIES
from shared.adapters.compose.stack_settings import settings_for
from shared.adapters.compose.vault import Vault, choices_from
from shared.domain.errors import Refused


def test_what_env_says_is_in_every_agents_settings(tmp_path: Path) -> None:
    said = {"BLUEGREEN_KEEP_JOBS": "365", "BLUEGREEN_KEEP_POINTS": "14.5"}
    choices = choices_from(said, Vault(tmp_path))
    for identity in AGENT_IDENTITIES:
        settings = settings_for(identity, choices)
        assert settings.retention.job_days == 365
        assert settings.backup.retention_days == 14.5


def test_without_a_word_the_defaults_hold(tmp_path: Path) -> None:
    choices = choices_from({"BLUEGREEN_KEEP_JOBS": ""}, Vault(tmp_path))
    settings = settings_for(AGENT_IDENTITIES[0], choices)
    assert settings.retention.job_days == 90
    assert settings.backup.retention_days == 7


@pytest.mark.parametrize("name", ["BLUEGREEN_KEEP_JOBS", "BLUEGREEN_KEEP_POINTS"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "a week", "1e9", "7d"])
def test_what_is_no_number_of_days_is_refused_with_its_name(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(Refused, match=f"in {name}, found '{value}'"):
        choices_from({name: value}, Vault(tmp_path))

"""Every login of the compose stack at the control database is granted what its agent needs."""

from __future__ import annotations

from shared.adapters.compose.inventory import AGENT_IDENTITIES, CONTROL_RIGHTS, vault_secrets
from shared.adapters.control.roles import GRANTS


def test_every_right_has_a_login_and_every_login_a_secret_of_its_own() -> None:
    assert CONTROL_RIGHTS.keys() == GRANTS.keys()
    logins = {identity.control for identity in AGENT_IDENTITIES}
    assert set(CONTROL_RIGHTS.values()) == logins
    assert len(logins) == len(AGENT_IDENTITIES)
    assert logins <= set(vault_secrets())

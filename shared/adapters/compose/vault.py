"""Every secret of a stack in one volume, which only its one-shot services mount; and `.env`."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from shared.adapters.compose.existing import existing_database, plain_name, read_given
from shared.adapters.compose.stack_settings import Choices
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.roles import DATABASE
from shared.adapters.embedded.secrets_store import ADMINISTRATOR, APPLICATION
from shared.domain.errors import Refused
from shared.domain.failover import Policy
from shared.domain.retention_limits import LEAST_JOB_DAYS, LEAST_POINT_DAYS, MOST_DAYS


@dataclass(frozen=True, slots=True)
class Vault:
    directory: Path

    def fill(self, names: Iterable[str], given: Mapping[str, Given]) -> None:
        """Make what is not there yet: random, where nothing was given."""
        place = self.directory / "secrets"
        place.mkdir(mode=0o700, exist_ok=True)
        for name in names:
            path = place / name
            if name in given:
                self._keep(path, given[name])
            elif not path.exists():
                write_whole(path, secrets.token_urlsafe(24), 0o600)

    def secret(self, name: str) -> str:
        """Raises Refused when it is missing: the volume is another stack's, or damaged."""
        path = self.directory / "secrets" / name
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise Refused(
                f"expected the secret {name} in the volume `vault`, found {error.strerror}",
                remedy="`docker compose -f docker-compose.migrations.yml up prepare` makes what is "
                "missing; a role that exists already keeps its old password",
            ) from error

    def stack(self) -> str:
        """What tells this stack's servers from those of another one."""
        path = self.directory / "stack"
        if not path.exists():
            write_whole(path, secrets.token_hex(4), 0o600)
        return path.read_text(encoding="utf-8")

    def before(self, name: str) -> str | None:
        """What that secret was before it was renewed, until `forget_before`."""
        path = self._before(name)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def forget_before(self, name: str) -> None:
        self._before(name).unlink(missing_ok=True)

    def _before(self, name: str) -> Path:
        return self.directory / "secrets" / f"{name}.before"

    def _keep(self, path: Path, given: Given) -> None:
        known = path.read_text(encoding="utf-8") if path.exists() else given.secret
        if known != given.secret:
            if not given.is_renewable:
                raise Refused(
                    f"{given.setting} differs from the password with which this stack was made; it "
                    "was left as it is",
                    remedy=f"take the old value, or unset {given.setting}: the stack knows it",
                )
            # Only the first of several is one that our own server has ever known.
            if self.before(path.name) is None:
                write_whole(self._before(path.name), known, 0o600)
        write_whole(path, given.secret, 0o600)


@dataclass(frozen=True, slots=True)
class Given:
    """A secret that `.env` names a file of."""

    setting: str
    secret: str
    is_renewable: bool = False
    """Whether it may differ from what the stack knows: the login is another server's, where it was
    changed."""


def given_secrets(environment: Mapping[str, str], choices: Choices) -> dict[str, Given]:
    """By name in the vault. Raises Refused where one is missing that the stack cannot make."""
    found = {}
    for name, setting in ((ADMINISTRATOR, "DB_PASSWORD_FILE"),
                          (APPLICATION, "DB_APP_PASSWORD_FILE")):  # fmt: skip
        secret = read_given(environment.get(setting, ""))
        if "\n" in secret:
            raise Refused(f"expected one line in the file of {setting}, found several",
                          remedy="write the password alone into it")  # fmt: skip
        if secret:
            found[name] = Given(setting, secret, is_renewable=choices.existing is not None)
        elif choices.existing is not None:
            raise Refused(
                f"expected a password of {choices.existing.host} in the file of {setting}, found "
                "none",
                remedy=f"write it into a file, one line, and name the file in .env as {setting}",
            )
    return found


def choices_from(environment: Mapping[str, str], vault: Vault) -> Choices:
    """Raises Refused, with the name of the setting, when one cannot be obeyed."""
    database = plain_name(environment, "DB_NAME", DATABASE)
    existing = existing_database(environment)
    user = environment.get("DB_USER") or ADMINISTRATOR
    if existing is None and user != ADMINISTRATOR:
        raise Refused(
            f"expected DB_USER={ADMINISTRATOR}, the administrator of the stack's own servers, "
            f"found {user!r}",
            remedy="leave DB_USER out of .env; the application logs in as app",
        )
    application = APPLICATION if existing is None else plain_name(environment, "DB_APP_USER")
    policy = environment.get("BLUEGREEN_FAILOVER") or "ask"
    if policy not in get_args(Policy):
        raise Refused(
            f"expected {' | '.join(get_args(Policy))} in BLUEGREEN_FAILOVER, found {policy!r}",
            remedy="mend .env",
        )
    return Choices(
        failover=cast(Policy, policy),
        keep_jobs_days=_days(environment, "BLUEGREEN_KEEP_JOBS", LEAST_JOB_DAYS),
        keep_points_days=_days(environment, "BLUEGREEN_KEEP_POINTS", LEAST_POINT_DAYS),
        stack=vault.stack(),
        database=database,
        application=application,
        existing=existing,
        alert_urls=_words(environment.get("BLUEGREEN_ALERT_URLS", "")),
        recipients=_words(environment.get("BLUEGREEN_BACKUP_RECIPIENTS", "")),
        door_names=_words(environment.get("BLUEGREEN_DOOR_NAMES", "")),
    )


def _days(environment: Mapping[str, str], name: str, least: float) -> float | None:
    """None where `.env` does not say. Raises Refused for what is no number of days."""
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not least <= days <= MOST_DAYS:  # NaN compares false with all
        raise Refused(
            f"expected days from {least:g} to {MOST_DAYS:g} in {name}, found {text!r}",
            remedy="mend .env",
        )
    return days


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())

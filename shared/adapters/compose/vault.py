"""Every secret of a stack in one volume, which only its one-shot services mount; and `.env`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.compose.stack_settings import Choices
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.roles import DATABASE
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.domain.errors import Refused

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}")


@dataclass(frozen=True, slots=True)
class Vault:
    directory: Path

    def fill(self, names: Iterable[str], *, administrator: str) -> None:
        """Make what is not there yet. `administrator` is the file that Compose makes of
        DB_PASSWORD; without it the administrator's password is random like the others."""
        place = self.directory / "secrets"
        place.mkdir(mode=0o700, exist_ok=True)
        given = self._given(administrator)
        for name in names:
            path = place / name
            if name == ADMINISTRATOR and given:
                self._keep(path, given)
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

    @staticmethod
    def _given(file: str) -> str:
        try:
            return Path(file).read_text(encoding="utf-8").strip() if file else ""
        except OSError:
            return ""

    @staticmethod
    def _keep(path: Path, given: str) -> None:
        if "\n" in given:
            raise Refused("expected one line in DB_PASSWORD, found several", remedy="mend .env")
        if path.exists() and path.read_text(encoding="utf-8") != given:
            raise Refused(
                "DB_PASSWORD differs from the administrator's password with which this stack was "
                "made; it was left as it is",
                remedy="take the old value, or unset DB_PASSWORD: the stack knows it",
            )
        write_whole(path, given, 0o600)


def choices_from(environment: Mapping[str, str], vault: Vault) -> Choices:
    """Raises Refused, with the name of the setting, when one cannot be obeyed."""
    database = environment.get("DB_NAME") or DATABASE
    if not _NAME.fullmatch(database):
        raise Refused(f"expected a plain name in DB_NAME, found {database!r}", remedy="mend .env")
    user = environment.get("DB_USER") or ADMINISTRATOR
    if user != ADMINISTRATOR:
        raise Refused(
            f"expected DB_USER={ADMINISTRATOR}, the administrator of the stack's own servers, "
            f"found {user!r}",
            remedy="leave DB_USER out of .env; the application logs in as app",
        )
    return Choices(
        stack=vault.stack(),
        database=database,
        alert_urls=_words(environment.get("BLUEGREEN_ALERT_URLS", "")),
        recipients=_words(environment.get("BLUEGREEN_BACKUP_RECIPIENTS", "")),
        door_names=_words(environment.get("BLUEGREEN_DOOR_NAMES", "")),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())

"""A database's definitions through pg_dump, in the two parts in which a copy loads them.

pg_restore's own list says what is what. Keys stand with the tables, because apply looks rows up by
them; every other index is cheaper to build over rows that are there.
Source: PostgreSQL manual, "pg_restore", `--list` and `--section`.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.dump.pg_dump import (
    LOCK_LIMIT_S,
    NOT_THE_SERVERS,
    OUR_SCHEMAS,
    Server,
    program,
    running,
)
from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.identifiers import ident
from shared.domain.objects import AGENT_ROLES
from shared.ports import Definitions
from shared.settings import Settings

LIMIT_S = 300.0
NOT_OURS = ("--no-publications", "--no-subscriptions", NOT_THE_SERVERS, *OUR_SCHEMAS)
_ENTRY = re.compile(r"^\d+; \d+ \d+ (CONSTRAINT|INDEX ATTACH|INDEX) \S+ (.*) \S+$")
"""A constraint here is a primary key, unique or exclusion; its tag is `table name`."""
_IDENTITY = re.compile(r"REPLICA IDENTITY USING INDEX (.*);$", re.MULTILINE)
_OURS = re.compile(r"^\d+; \d+ \d+ EVENT TRIGGER - bluegreen_")
_OF_THE_SERVER = re.compile(r"^\d+; \d+ \d+ (COMMENT - EXTENSION|SCHEMA - public) ")
"""Needs an owner's rights over what the target's server has already."""
_OF_PSQL = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DumpedDatabase:
    """The Database port, read over the network as the role of `server`."""

    server: Server
    programs: Callable[[], Path]
    """Where pg_dump and pg_restore are; looked for when they are needed."""

    @classmethod
    def of(cls, settings: Settings, colour: Colour) -> DumpedDatabase:
        """On that side, read as the replicator."""
        node, role = settings.nodes[colour], AGENT_ROLES["replicator"]
        server = Server(node.host, node.port, settings.database, role, settings.secret(role))
        return cls(server, lambda: program("pg_dump", settings, colour).parent)

    def definitions(self) -> Definitions:
        with tempfile.TemporaryDirectory(prefix="bluegreen-") as private:
            archive = Path(private, "schema.dump")
            self._dump(archive)
            before, after = (self._list(archive, f"{part}-data") for part in ("pre", "post"))
            keys = self._keys(after, archive)
            rest = [entry for entry in after if entry not in set(keys)]
            return Definitions(self._script(archive, [*before, *keys]), self._script(archive, rest))

    def _dump(self, archive: Path) -> None:
        options = ["--schema-only", "--format=custom", f"--lock-wait-timeout={LOCK_LIMIT_S}s"]
        with running(
            self.programs() / "pg_dump", self.server, [*options, *NOT_OURS], limit_s=LIMIT_S
        ) as process:
            archive.write_bytes(process.output.read())
            process.finish()

    def _list(self, archive: Path, section: str) -> list[str]:
        lines = self._restore(archive, "--list", f"--section={section}").splitlines()
        return [
            line
            for line in lines
            if line and not line.startswith(";")
            and not _OURS.match(line) and not _OF_THE_SERVER.match(line)
        ]  # fmt: skip

    def _keys(self, entries: list[str], archive: Path) -> list[str]:
        """Entries of constraints and replica identities, on partitions too."""
        found = [(entry, match) for entry in entries if (match := _ENTRY.match(entry))]
        of_constraints = {m[2].rsplit(" ", 1)[-1] for _, m in found if m[1] == "CONSTRAINT"}
        indexes = [entry for entry, m in found if m[1] == "INDEX"]
        identities = {
            ident(name.strip('"').replace('""', '"'))
            for name in _IDENTITY.findall(self._script(archive, indexes))
        }
        return [
            entry
            for entry, match in found
            if match[1] == "CONSTRAINT"
            or (match[1] == "INDEX ATTACH" and match[2] in of_constraints)
            or (match[1] == "INDEX" and ident(match[2]) in identities)
        ]

    def _script(self, archive: Path, entries: list[str]) -> str:
        if not entries:
            return ""
        chosen = archive.with_suffix(".list")
        chosen.write_text("\n".join(entries) + "\n", encoding="utf-8")
        return _OF_PSQL.sub("", self._restore(archive, f"--use-list={chosen}", "--file=-"))

    def _restore(self, archive: Path, *options: str) -> str:
        """Text that pg_restore makes of the archive; it talks to no server."""
        ended = subprocess.run(
            [self.programs() / "pg_restore", *options, str(archive)],
            capture_output=True, text=True, check=False, timeout=LIMIT_S, encoding="utf-8",
        )  # fmt: skip
        if ended.returncode != 0:
            raise Broken(f"pg_restore ended with {ended.returncode}: {ended.stderr.strip()}")
        return ended.stdout

"""The distribution's packages, fetched and unpacked without installing anything.

A second apt with lists, cache and state of its own; the host's is read (mirrors, proxies) and
never changed. Source: apt.conf(5), apt-get(8) `download` and `indextargets`, dpkg-deb(1) `-x`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.domain.errors import Refused, Transient

KEYRINGS = {
    "debian": ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg"),
    "ubuntu": ("ubuntu-archive-keyring.gpg",),
}
SUITES = {"debian": ("trixie", "bookworm"), "ubuntu": ("noble", "jammy")}
"""Suites that carry servers we need, asked after the host's own."""
LIBRARY = re.compile(r"^(lib(?!llvm|perl|python|tcl)|zlib1g)")
"""Packages that a program needs in order to start. libllvm (100 MB) serves only JIT."""
LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Distribution:
    id: str
    """`debian` or `ubuntu`."""
    codename: str

    @property
    def suites(self) -> tuple[str, ...]:
        return (self.codename, *(s for s in SUITES[self.id] if s != self.codename))


def distribution(os_release: Path = Path("/etc/os-release")) -> Distribution:
    """Which distribution this is. Raises Refused when it has no apt we know how to use."""
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = {k: v.strip("\"'") for k, _, v in (line.partition("=") for line in lines)}
    family = [said.get("ID", ""), *said.get("ID_LIKE", "").split()]
    known = next((name for name in family if name in SUITES), None)
    if known is None or shutil.which("apt-get") is None:
        raise Refused(
            "expected Debian or Ubuntu, whose packages can be unpacked privately, found "
            f"{said.get('PRETTY_NAME', 'another system')}",
            remedy="install redis-server, nginx with its stream module, PgBouncer 1.21 or newer "
            "and PostgreSQL 15 or newer by the system's own means",
        )
    codename = said.get("UBUNTU_CODENAME") if known == "ubuntu" else None
    return Distribution(known, codename or said.get("VERSION_CODENAME", ""))


class PrivateApt:
    """apt for one suite, in a directory of its own."""

    def __init__(self, directory: Path, host: Distribution, suite: str) -> None:
        self.suite = suite
        self._host = host
        self._directory = directory / suite
        self._configuration = self._directory / "apt.conf"

    def update(self) -> None:
        """Fetch the package lists. Raises Transient when the mirror cannot be reached."""
        for part in ("lists/partial", "cache/archives/partial"):
            (self._directory / part).mkdir(parents=True, exist_ok=True)
        for name in ("status", "preferences"):
            (self._directory / name).touch()
        (self._directory / "sources.list").write_text(self._sources(), encoding="utf-8")
        self._configuration.write_text(self._apt_conf(), encoding="utf-8")
        self._run("apt-get", "update", "-qq", "--error-on=any")

    def has(self, package: str) -> bool:
        said = self._run("apt-cache", "policy", package)
        return "Candidate:" in said and "Candidate: (none)" not in said

    def version(self, package: str) -> tuple[int, ...]:
        """Upstream version of the candidate, as numbers: `1.24.1-1+deb13u2` is (1, 24, 1)."""
        found = re.search(
            r"Candidate: (?:\d+:)?([\d.]+)", self._run("apt-cache", "policy", package)
        )
        return tuple(int(n) for n in found[1].strip(".").split(".")) if found else ()

    def libraries(self, packages: Sequence[str]) -> set[str]:
        """Every library package that these need, also through one another."""
        seen: set[str] = set()
        ask = set(packages)
        while ask:
            said = self._run(
                "apt-cache", "depends", "--no-recommends", "--no-suggests", "--no-conflicts",
                "--no-breaks", "--no-replaces", "--no-enhances", *sorted(ask),
            )  # fmt: skip
            needed = re.findall(r"^\s+\|?(?:Pre)?Depends: ([^\s<>]+)$", said, re.MULTILINE)
            ask = {name for name in needed if LIBRARY.match(name)} - seen
            seen |= ask
        return seen

    def unpack(self, packages: Sequence[str], into: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="bluegreen-deb-") as work:
            self._run("apt-get", "download", "-qq", *packages, cwd=Path(work))
            for archive in sorted(Path(work).glob("*.deb")):
                _checked(["dpkg", "-x", str(archive), str(into)], os.environ, Path(work))

    def _sources(self) -> str:
        """The host's own mirrors, with this suite in the place of the host's."""
        targets = _checked(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)",
             "Created-By: Packages"], os.environ, Path("/"),
        )  # fmt: skip
        own = re.compile(rf"^{re.escape(self._host.codename)}(-updates|-security)?$")
        lines = []
        for uri, release in sorted({tuple(t.split()) for t in targets.splitlines() if " " in t}):
            if match := own.match(release):
                lines.append(f"deb {self._signed_by()}{uri} {self.suite}{match[1] or ''} "
                             f"{self._components()}")  # fmt: skip
        if not lines:
            raise Refused(
                f"expected a package mirror of {self._host.codename} in apt's sources, found none",
                remedy="add the distribution's mirror to /etc/apt/sources.list.d",
            )
        return "\n".join(lines) + "\n"

    def _components(self) -> str:
        return "main universe" if self._host.id == "ubuntu" else "main"

    def _signed_by(self) -> str:
        for name in KEYRINGS[self._host.id]:
            keyring = Path("/usr/share/keyrings") / name
            if keyring.exists():
                return f"[signed-by={keyring}] "
        return ""

    def _apt_conf(self) -> str:
        """The host's way to the network (proxies, certificates), and nothing else of it."""
        dumped = _checked(["apt-config", "dump"], os.environ, Path("/"))
        network = [line for line in dumped.splitlines() if line.startswith("Acquire::")]
        here = self._directory
        return "\n".join([
            *network,
            'Acquire::Languages "none";',
            'Acquire::Retries "3";',
            'Dir::Etc::Parts "/dev/null";',
            'Dir::Etc::Main "/dev/null";',
            f'Dir::Etc::SourceList "{here}/sources.list";',
            'Dir::Etc::SourceParts "/dev/null";',
            f'Dir::Etc::Preferences "{here}/preferences";',
            'Dir::Etc::PreferencesParts "/dev/null";',
            f'Dir::State::Lists "{here}/lists";',
            f'Dir::State::Status "{here}/status";',
            f'Dir::Cache "{here}/cache";',
            'APT::Sandbox::User "root";',
            'APT::Install-Recommends "false";',
        ]) + "\n"  # fmt: skip

    def _run(self, *command: str, cwd: Path = Path("/")) -> str:
        return _checked(command, {**os.environ, "APT_CONFIG": str(self._configuration)}, cwd)


def _checked(command: Sequence[str], environment: os._Environ[str] | dict[str, str],
             cwd: Path) -> str:  # fmt: skip
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=cwd,
            env={**environment, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Transient(f"{' '.join(command[:2])} took longer than {LIMIT_S} s") from error
    if ended.returncode != 0:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
        raise Transient(f"{' '.join(command[:2])} failed: {said[-1] if said else 'no reason'}")
    return ended.stdout

"""Programs out of the distribution's packages, kept in the cache, ready to run from there."""

from __future__ import annotations

from pathlib import Path

from shared.adapters.embedded.accounts import Account
from shared.adapters.embedded.cache import cache_dir, keep
from shared.adapters.embedded.private_apt import PrivateApt, distribution
from shared.adapters.embedded.relocate import HOST_C_LIBRARY, relocate
from shared.domain.errors import Refused


def unpacked(
    name: str,
    packages: tuple[str, ...],
    *,
    owner: Account | None,
    at_least: tuple[int, ...] = (),
) -> Path:
    """The directory that holds these packages and their libraries, fetched when it is not there.

    The first suite that carries `packages[0]` at the version `at_least` serves, the host's own
    suite before all others. Raises Refused when none does, Transient when none can be reached.
    """
    cache = cache_dir(owner)

    def fill(work: Path, final: Path) -> None:
        apt, is_own_suite = _suite_with(packages[0], at_least, cache)
        libraries = apt.libraries(packages) - (HOST_C_LIBRARY if is_own_suite else frozenset())
        apt.unpack([*packages, *sorted(libraries)], work)
        relocate(work, final, own_loader=not is_own_suite)

    return keep(cache, name, fill)


def _suite_with(
    package: str, at_least: tuple[int, ...], cache: Path
) -> tuple[PrivateApt, bool]:  # fmt: skip
    host = distribution()
    for suite in host.suites:
        apt = PrivateApt(cache / "apt", host, suite)
        apt.update()
        if apt.has(package) and apt.version(package) >= at_least:
            return apt, suite == host.codename
    wanted = ".".join(str(number) for number in at_least) or "any version"
    raise Refused(
        f"expected {package} ({wanted} or newer) in {', '.join(host.suites)}, found none",
        remedy=f"install {package} on this host by other means",
    )

"""`bluegreen certs`: for people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from producer.configuration import Configuration
from producer.output import Output
from shared.adapters.compose import renewal


def init(configuration: Configuration, output: Output, root: Path, *, anew: bool) -> None:
    """Raises Refused outside the service that holds the authority's key."""
    _say(output, renewal.init(root, configuration.environment, anew=anew))


def show(output: Output, root: Path) -> None:
    """Raises Refused where the stack's volumes are not mounted."""
    _say(output, renewal.show(root))


def _say(output: Output, certificates: Sequence[renewal.Shown]) -> None:
    output.document({
        "certificates": [
            {
                "service": each.service,
                "names": list(each.names),
                "expires": each.expires.isoformat(),
                "new": each.is_new,
            }
            for each in certificates
        ]
    })  # fmt: skip
    for each in certificates:
        made = "made" if each.is_new else "kept"
        output.say(f"{each.service:<18} {made}, until {each.expires:%F}: {', '.join(each.names)}")

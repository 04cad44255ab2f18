"""From which addresses the direct door reaches the servers, where it is on a host of its own."""

from __future__ import annotations

import ipaddress
import socket


def door_addresses(host: str) -> frozenset[str]:
    """Those of the door's host. None where it is this host: there the door arrives by Unix socket,
    and an address of the loopback would be everybody's. Empty when the name is not known."""
    try:
        found = {
            str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        }
    except OSError:
        return frozenset()
    return frozenset(one for one in found if not ipaddress.ip_address(one).is_loopback)

"""From which addresses we and the direct door reach the servers."""

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


def own_address(host: str, port: int) -> str:
    """That with which this host sends to a server; empty when it is not known. Nothing is sent."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(kind, socket.SOCK_DGRAM) as wire:
            wire.connect(address)
            return str(wire.getsockname()[0])
    except OSError:
        return ""

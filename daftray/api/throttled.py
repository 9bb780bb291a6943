"""Who is counted by rate limits: addresses, and those who enter what is not there."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from contextlib import contextmanager

from daftray.api.audit import remote_of
from daftray.api.auth import AnyRequest
from daftray.domain.errors import NotFoundError
from daftray.domain.ports.throttle import Throttle
from daftray.domain.throttle import Rate

_HOME = 64
"""What a home or a machine is given of IPv6: one of its 2^64 addresses is as good as another."""


def address_of(request: AnyRequest) -> str:
    """Return whose address a request comes from, or the network where one party has many."""
    remote = remote_of(request.scope) or "unknown"
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _HOME), strict=False))
    return str(address)


@contextmanager
def counting_misses(throttle: Throttle, rate: Rate, *parties: str) -> Generator[None]:
    """Refuse those who missed too often, and count it where what is inside finds nothing again."""
    for who in parties:
        throttle.check(rate, who)
    try:
        yield
    except NotFoundError:
        for who in parties:
            throttle.hit(rate, who)
        raise

"""Which hosts a server may be sent to by somebody else's URL.

A remote is text from a user. The server must not fetch for that user what only the server can reach about
itself: its own ports, and the metadata service of its cloud, which hands out credentials. Private networks
are fine, since people host Git there. Names are resolved here, and Git is made to use the addresses that
were checked, so that a name cannot answer differently a second time (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
import urllib.request
from collections.abc import Sequence

from daftray.domain.errors import SourceNotFoundError, SourceRefusedError, SourceUnavailableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED = (
    ipaddress.ip_network("0.0.0.0/8"),  # "this host" (RFC 1122): Linux connects it to loopback
    ipaddress.ip_network("255.255.255.255/32"),
    ipaddress.ip_network("100.100.100.200/32"),  # metadata service of Alibaba Cloud
    ipaddress.ip_network("fd00:ec2::254/128"),  # metadata service of AWS over IPv6
)


def check_name(host: str) -> None:
    """Refuse a host that is the server itself, or link-local, as far as its text alone says so.

    Raises:
        SourceRefusedError: it is.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".localdomain")):
        raise _refusal(host)
    try:
        # Also 2130706433, 0x7f.1 and 127.1, which the C library takes for addresses.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return
    _check_all([str(one[4][0]) for one in found], host)


def resolve(host: str, *, scheme: str) -> Sequence[str]:
    """Return the addresses of a host, all of which may be used; none where a proxy resolves them.

    Raises:
        SourceRefusedError: one of them may not.
        SourceNotFoundError: there is no such host.
        SourceUnavailableError: the name cannot be resolved right now.
    """
    check_name(host)
    if scheme == "https" and _goes_through_proxy(host):
        return ()
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as exc:
        if isinstance(exc, socket.gaierror) and exc.errno == socket.EAI_AGAIN:
            raise SourceUnavailableError(
                f"The Git remote's host {host} cannot be resolved right now: check the server's DNS."
            ) from exc
        raise SourceNotFoundError(f"The Git remote's host {host} does not exist: check the URL.") from exc
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    _check_all(addresses, host)
    return addresses


def _goes_through_proxy(host: str) -> bool:
    proxies = urllib.request.getproxies()
    return bool(proxies.get("https") or proxies.get("all")) and not urllib.request.proxy_bypass(host)


def _check_all(addresses: Sequence[str], host: str) -> None:
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(_refused(one) for one in (address, *_embedded(address))):
            raise _refusal(host)


def _embedded(address: Address) -> Sequence[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [one for one in (address.ipv4_mapped, address.sixtofour, nat64) if one is not None]


def _refused(address: Address) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or any(address.version == network.version and address in network for network in _REFUSED)
    )


def _refusal(host: str) -> SourceRefusedError:
    return SourceRefusedError(
        f"The Git remote's host {host} is this server itself, a link-local or a multicast address, which "
        "runs may not reach through the server: give the address under which other machines reach that host."
    )

"""Which addresses may be asked, decided on the address that is really connected to.

A page, a feed or a redirect can name any host, also one that leads back into
the agency's own network. A name is resolved once; what it resolved to is
checked, and exactly that address is connected to, so that a name that answers
differently the second time gains nothing. Numbers in disguise (decimal, hex,
octal, IPv4 inside IPv6) are read as the address that they are.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from connectors.errors import AddressRefused, TryAgainLater

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text; raises `OSError` where there are none."""

_PORTS = {"http": 80, "https": 443}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._:")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


def resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's own resolver says, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Gate:
    """Opens to public addresses, and to the hosts that the operator allows by name.

    `allow_hosts` holds hosts as they are written in addresses, each alone or
    with its port ("wiki.town.lan", "127.0.0.1:8081", "[::1]:8081").
    """

    def __init__(self, allow_hosts: Collection[str], resolve: Resolve) -> None:
        self._allowed = frozenset(host.strip().lower() for host in allow_hosts)
        self._resolve = resolve

    def read(self, url: str) -> httpx.URL:
        """`url` as an address that could be asked; `AddressRefused` says what is wrong with it."""
        try:
            read = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError, TypeError, ValueError) as fault:
            raise AddressRefused(f"The address cannot be read: {fault}. Correct it.") from None
        if read.scheme not in _PORTS:
            raise AddressRefused(f"{read.scheme or 'No scheme'}: only http and https are asked.")
        if (
            read.userinfo
            or "@" in url.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
        ):
            raise AddressRefused(
                "The address holds a name or password before its host. Connect the page with them instead."
            )
        if not read.host:
            raise AddressRefused("The address names no host.")
        if not set(_host(read)) <= _NAME:
            raise AddressRefused(f"{_host(read)} is no name of a host.")
        if read.port is not None and not 0 < read.port < 65536:
            raise AddressRefused(f"Port {read.port} cannot be asked.")
        return read

    def addresses(self, url: httpx.URL) -> Sequence[str]:
        """The addresses at which `url` may be asked now, in the resolver's order.

        `AddressRefused` where its host lies in a network that is nobody else's
        business; `TryAgainLater` where the name cannot be resolved.
        """
        host, port = _host(url), url.port or _PORTS[url.scheme]
        known = literal(host)
        try:
            found = [str(known)] if known is not None else list(self._resolve(host, port))
        except UnicodeError as fault:
            raise AddressRefused(f"{host} is no name of a host: {fault}.") from None
        except OSError as fault:
            raise TryAgainLater(f"{host} cannot be found: {fault.strerror or fault}.") from fault
        if not self._allowed.isdisjoint({host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}"}):
            open_to_us = found
        else:
            open_to_us = [address for address in found if is_public(address)]
        if open_to_us:
            return open_to_us
        if not found:
            raise TryAgainLater(f"{host} cannot be found: it has no address.")
        raise AddressRefused(
            f"{host} leads to {', '.join(found)}, which is not a public address. "
            f"If it is meant, the operator adds {host} to MUNIMENT_ALLOW_HOSTS."
        )


def is_public(address: str) -> bool:
    """Whether anyone on the internet could ask `address`: not private, loopback, link-local, multicast or reserved."""
    try:
        read = ip_address(address)
    except ValueError:
        return False
    if isinstance(read, IPv6Address):
        if read.scope_id is not None:
            return False
        inner = _carried(read)
        if inner is not None:
            return is_public(str(inner))
        if read.is_site_local:
            return False
    return read.is_global and not (read.is_multicast or read.is_reserved or read.is_unspecified)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, Teredo or NAT64."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is when it is a number, also "0x7f.1", "017700000001" and "2130706433"."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    if not host or not set(host) <= set("0123456789abcdefx."):
        return None
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower()
